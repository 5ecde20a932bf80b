import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import { ageDecrypt, ageEncrypt, generateIdentity, parseIdentity } from "./age";
import { parseKeyFile } from "./age-keys";
import { changeSopsFile, rewrapDataKey, rotateDataKey } from "./sops-edit";
import { decryptSopsFile, encryptSopsFile, openSopsFile, type SecretTree } from "./sops-file";
import { decryptValue } from "./sops-values";

const root = path.join(__dirname, "..");
const lab = parseKeyFile(fs.readFileSync(path.join(root, "secrets/lab-only.agekey"), "utf8"));
const identity = generateIdentity();
const WHEN = new Date("2025-11-14T06:20:46.123Z");
const VALUES_OF_TREE = { text: "it's\nünïcode", number: 5432, float: 1.5, flag: true, off: false, empty: "" };
const TREE: SecretTree = { vault: { kv: { a: VALUES_OF_TREE } } };
const encrypt = (tree: SecretTree = TREE) => encryptSopsFile(tree, [identity.recipient], WHEN);
const decrypt = (text: string, keys = [identity]) => decryptSopsFile("f.yaml", text, keys);

/** Puts another letter of base64 there. A fixed letter would change nothing in one of 64 runs. */
const replaceLetter = (binary: Buffer, at: number): number => binary.write(binary[at] === 0x41 ? "B" : "A", at);

describe("age", () => {
  test("a key has the recipient that age-keygen -y prints for it", () => {
    // lab-only: the age project's own example
    expect(parseIdentity("AGE-SECRET-KEY-1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4QX3S7F6").recipient).toBe(
      "age1w3tyke4gev25vaxxsvcgqu4484rf6ejpmavs57p6yz6lhy2sfs5swrvwyn",
    );
  });

  test("what is encrypted to several recipients opens with each of their keys, and with no other", async () => {
    const other = generateIdentity();
    await fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = ageEncrypt(bytes, [identity.recipient, other.recipient]);
        expect([...ageDecrypt(text, identity)]).toEqual([...bytes]);
        expect([...ageDecrypt(text, other)]).toEqual([...bytes]);
        expect(() => ageDecrypt(text, generateIdentity())).toThrow("it is not encrypted to age1");
      }),
      { numRuns: 10 },
    );
  });

  test.each([
    ["a changed header", (binary: Buffer) => replaceLetter(binary, binary.indexOf("\n--- ") + 6)],
    ["a changed payload", (binary: Buffer) => binary.writeUInt8((binary.at(-1) ?? 0) ^ 1, binary.length - 1)],
  ])("%s is noticed", (_, change) => {
    const lines = ageEncrypt(Buffer.from("x"), [identity.recipient]).split("\n");
    const binary = Buffer.from(lines.slice(1, -2).join(""), "base64");
    change(binary);
    const text = ["-----BEGIN AGE ENCRYPTED FILE-----", binary.toString("base64"), "-----END AGE ENCRYPTED FILE-----"].join("\n");
    expect(() => ageDecrypt(text, identity)).toThrow(/^the age header is damaged: its (MAC does not match|payload does not open)$/);
  });
});

test("a file that real sops wrote opens, with every type of value", async () => {
  const file = path.join(root, "tests/secrets/recorded-by-sops-3.10.2.yaml");
  expect(await decryptSopsFile(file, fs.readFileSync(file, "utf8"), lab)).toEqual({
    vault: { kv: { recorded: { text: 'it\'s ünïcode: "quoted"\nand two lines', number: 5432, float: 1.5, flag: true, off: false, empty: "" } } },
  });
});

describe("a file that real sops wrote with comments, dates, lines and numbers of every kind", () => {
  const file = path.join(root, "tests/secrets/recorded-kinds-by-sops-3.10.2.yaml");
  const recorded = fs.readFileSync(file, "utf8");
  const opened = () => openSopsFile(file, recorded, lab);
  const VALUES = {
    date: "2024-02-29T00:00:00Z",
    time: "2024-02-29T12:34:56Z",
    quotedDate: "2024-02-29",
    text: "one line",
    literal: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    folded: "folded text",
    trailing: "ends with a line\n",
    unicode: 'ünïcode 🙂 "quoted" it\'s',
    integer: 42,
    negative: -7,
    // What JavaScript does not hold exactly stays text, in the digits that sops encrypted.
    big: "9007199254740993",
    huge: "123456789012345680000000000000",
    float: 1.5,
    exponent: `15${"0".repeat(299)}`,
    octalLike: "0123",
    yes: true,
    off: false,
    quotedNumber: "5432",
    empty: "",
    "dotted.key": "dots",
  };
  /** Each comment with the map that it must stand in to decrypt. */
  const COMMENTS: [string, string][] = [
    [":", " at the head"],
    ["vault:", " in the first map"],
    ["vault:kv:", " before the entry"],
    ["vault:kv:recorded:", " above a key"],
    ["vault:kv:recorded:", " beside a value"],
    ["vault:kv:recorded:", " at the end of the map"],
    [":", " at the end"],
  ];

  /** The comments, each decrypted as part of the map that its indentation says. */
  const commentsOf = (text: string, key: Buffer): [string, string][] =>
    [...text.matchAll(/^( *)#(ENC\[.*type:comment\])$/gm)].map(([, spaces = "", encrypted = ""]) => {
      const place = `${["vault", "kv", "recorded"].slice(0, spaces.length / 4).join(":")}:`;
      return [place, decryptValue(encrypted, key, place).text];
    });

  test("opens", async () => {
    expect(await decryptSopsFile(file, recorded, lab)).toEqual({ vault: { kv: { recorded: VALUES } } });
    expect(commentsOf(recorded, opened().dataKey)).toEqual(COMMENTS);
  });

  test("keeps all that was not changed, letter by letter, and its comments where they decrypt", async () => {
    const at = (key: string) => ["vault", "kv", "recorded", key];
    const changes = [
      { place: at("text"), value: "another" },
      { place: at("float"), value: undefined },
      { place: at("added"), value: "plus" },
    ];
    const changed = changeSopsFile(file, opened(), changes, WHEN);
    const { float: _, ...kept } = VALUES;
    expect(await decryptSopsFile(file, changed, lab)).toEqual({ vault: { kv: { recorded: { ...kept, text: "another", added: "plus" } } } });
    expect(commentsOf(changed, openSopsFile(file, changed, lab).dataKey)).toEqual(COMMENTS);
    const lines = new Set(changed.split("\n"));
    const gone = recorded.split("\n").filter((line) => !lines.has(line));
    expect(gone.map((line) => /^ *([\w.]+):/.exec(line)?.[1])).toEqual(["text", "float", "lastmodified", "mac"]);
  });

  test("has the same values, kinds and comments under another data key and for other recipients", async () => {
    const rotated = rotateDataKey(file, opened(), WHEN);
    expect(await decryptSopsFile(file, rotated, lab)).toEqual({ vault: { kv: { recorded: VALUES } } });
    const { dataKey, leaves } = openSopsFile(file, rotated, lab);
    expect(commentsOf(rotated, dataKey)).toEqual(COMMENTS);
    expect(leaves.map(({ plain }) => plain)).toEqual(opened().leaves.map(({ plain }) => plain));
    const old = new Set(recorded.match(/data:[^,]{4,},iv/g));
    expect(rotated.match(/data:[^,]{4,},iv/g)?.filter((data) => old.has(data))).toEqual([]);

    const rewrapped = rewrapDataKey(file, opened(), [identity.recipient]);
    expect(await decryptSopsFile(file, rewrapped, [identity])).toEqual({ vault: { kv: { recorded: VALUES } } });
    expect(commentsOf(rewrapped, openSopsFile(file, rewrapped, [identity]).dataKey)).toEqual(COMMENTS);
    const [before, after] = [recorded, rewrapped].map((text) => text.slice(0, text.indexOf("\nsops:")));
    expect(after).toBe(before);
  });
});

describe("a file of another layout keeps it", () => {
  const at = (key: string) => ["vault", "kv", "a", key];
  const unquotedTime = /lastmodified: (\S+)/;
  const layouts: [string, (text: string) => string][] = [
    ["two spaces a level", (text) => text.replace(/^[\s\S]*?\nsops:/, (values) => values.replace(/^ +/gm, (spaces) => " ".repeat(spaces.length / 2)))],
    ["blank lines and comments", (text) => text.replace(/^( +)number:/m, "\n$1# how many\n$1number:").replace(/(float: .*)$/m, "$1 # of them\n\n")],
    ["quoted values", (text) => text.replace(/: (ENC\[.*\])$/gm, ': "$1"').replace(unquotedTime, 'lastmodified: "$1"')],
    ["single quotes and a document's mark", (text) => `---\n${text.replace(/: (ENC\[.*\])$/gm, ": '$1'")}`],
    ["lines of Windows", (text) => text.replaceAll("\n", "\r\n")],
    ["the sops section without an end of line", (text) => text.trimEnd()],
  ];
  test.each(layouts)("%s", async (_, layOut) => {
    const text = layOut(encrypt());
    const changed = changeSopsFile(
      "f.yaml",
      openSopsFile("f.yaml", text, [identity]),
      [
        { place: at("text"), value: "another" },
        { place: at("float"), value: undefined },
        { place: at("added key"), value: "plus" },
      ],
      new Date(WHEN.getTime() + 60_000),
    );
    const { float: _float, ...kept } = VALUES_OF_TREE;
    expect(await decrypt(changed)).toEqual({ vault: { kv: { a: { ...kept, text: "another", "added key": "plus" } } } });
    const [before, after] = [text.split("\n"), changed.split("\n")];
    const keys = (lines: string[]) => lines.map((line) => /^ *"?([\w: ]+?)"?: /.exec(line)?.[1]);
    expect(keys(before.filter((line) => !after.includes(line)))).toEqual(["text", "float", "lastmodified", "mac"]);
    expect(keys(after.filter((line) => !before.includes(line)))).toEqual(["text", "added key", "lastmodified", "mac"]);
    const rewrapped = rewrapDataKey("f.yaml", openSopsFile("f.yaml", text, [identity]), [identity.recipient, lab[0]?.recipient ?? ""]);
    expect(await decrypt(rewrapped, lab)).toEqual(TREE);
    expect(rewrapped.split("\n").filter((line) => !/^ *(-|enc|[\w+/=-]+\r?$)/.test(line))).toEqual(
      before.filter((line) => !/^ *(-|enc|[\w+/=-]+\r?$)/.test(line)),
    );
  });

  test("flow style is laid out anew, and keeps its values", async () => {
    const open = openSopsFile("f.yaml", encrypt(), [identity]);
    const { stringify } = require("yaml") as typeof import("yaml");
    const flow = stringify(open.document.toJS(), { collectionStyle: "flow", lineWidth: 0 });
    const changed = changeSopsFile("f.yaml", openSopsFile("f.yaml", flow, [identity]), [{ place: at("text"), value: "another" }], WHEN);
    expect(((await decrypt(changed)) as typeof TREE & { vault: { kv: { a: object } } }).vault.kv.a).toMatchObject({ text: "another", number: 5432 });
  });
});

test("what is written opens again, and holds nothing in plain", async () => {
  const text = encrypt();
  expect(await decrypt(text)).toEqual(TREE);
  expect(text).not.toContain("ünïcode");
  expect(text).toContain("lastmodified: 2025-11-14T06:20:46Z\n");
});

test("any text survives, and the same text is never encrypted to the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (value) => {
      const text = encrypt({ vault: { kv: { value } } });
      expect(await decrypt(text)).toEqual({ vault: { kv: { value } } });
      if (value !== "") expect(encrypt({ vault: { kv: { value } } }).split("\n")[2]).not.toBe(text.split("\n")[2]);
    }),
    { numRuns: 30 },
  );
});

const swapped = () => {
  const lines = encrypt({ vault: { kv: { a: "one", b: "two" } } }).split("\n");
  return [...lines.slice(0, 2), lines[3]?.replace("b:", "a:"), lines[2]?.replace("a:", "b:"), ...lines.slice(4)].join("\n");
};
const without = (pattern: RegExp, text = encrypt()) => text.replace(pattern, "");

test.each([
  ["an empty file", "", "E_SECRET_FORMAT", "f.yaml: it is not a YAML map, or it is cut off"],
  ["a list", "- a\n", "E_SECRET_FORMAT", "f.yaml: it is not a YAML map, or it is cut off"],
  ["broken YAML", "vault: [\n", "E_SECRET_FORMAT", "f.yaml: it is not a YAML map, or it is cut off"],
  ["a key that stands twice", `${encrypt()}vault: {}\n`, "E_SECRET_FORMAT", "f.yaml: a key stands in it twice"],
  ["a file in plain", "vault:\n  kv:\n    a:\n      password: hunter2\n", "E_SECRET_PLAIN", "f.yaml: it is not encrypted: it has no sops section"],
  ["one value in plain", encrypt().replace(/text: ENC.*\n/, "text: hunter2\n"), "E_SECRET_PLAIN", "f.yaml: the value of vault.kv.a.text is not encrypted"],
  ["a number in plain", encrypt().replace(/number: ENC.*\n/, "number: 5432\n"), "E_SECRET_PLAIN", "f.yaml: the value of vault.kv.a.number is not encrypted"],
  ["a list of values", encrypt().replace(/text: ENC.*\n/, "text: [a]\n"), "E_SECRET_PLAIN", "f.yaml: the value of vault.kv.a.text is not encrypted"],
  [
    "a null, which sops leaves as it is",
    encrypt().replace(/text: ENC.*\n/, "text: null\n"),
    "E_SECRET_SHAPE",
    "f.yaml: vault.kv.a.text is null, which SOPS does not encrypt and Vault cannot hold",
  ],
  ["no MAC", without(/ {4}mac: .*\n/), "E_SECRET_FORMAT", "f.yaml: its sops section is damaged, or it has no age recipient"],
  [
    "no recipient",
    without(/ {8}- recipient[\s\S]*END AGE ENCRYPTED FILE-----\n/).replace("age:", "age: []"),
    "E_SECRET_FORMAT",
    "f.yaml: its sops section is damaged, or it has no age recipient",
  ],
  ["a file that is cut off", encrypt().slice(0, 400), "E_SECRET_FORMAT", "f.yaml: its end with the sops section is missing"],
  ["a value of another place", swapped(), "E_SECRET_MAC", "f.yaml: it does not decrypt: it was changed after it was encrypted"],
  ["a value that was removed", without(/ {12}flag: ENC.*\n/), "E_SECRET_MAC", "f.yaml: its MAC does not match: values were added, removed or moved by hand"],
  [
    "a value that was emptied",
    encrypt().replace(/flag: ENC.*\n/, 'flag: ""\n'),
    "E_SECRET_MAC",
    "f.yaml: its MAC does not match: values were added, removed or moved by hand",
  ],
  ["another time of change", encrypt().replace("06:20:46", "06:20:47"), "E_SECRET_MAC", "f.yaml: it does not decrypt: it was changed after it was encrypted"],
  [
    "a damaged age header",
    encrypt().replace("YWdlLWVuY3J5cHRpb24", "ZWdlLWVuY3J5cHRpb24"),
    "E_SECRET_MAC",
    "f.yaml: it does not decrypt: it was changed after it was encrypted",
  ],
])("%s is refused", async (_, text, code, message) => {
  const thrown: unknown = await decrypt(text).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code, message, subject: "f.yaml" });
  expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain("hunter2");
});

test("a file that is encrypted to others names its recipients", async () => {
  await expect(decrypt(encrypt(), [generateIdentity()])).rejects.toMatchObject({
    code: "E_SECRET_RECIPIENT",
    message: `f.yaml: none of your age keys is among its recipients (${identity.recipient})`,
  });
});

test("the second of several keys is found", async () => {
  expect(await decrypt(encrypt(), [generateIdentity(), identity])).toEqual(TREE);
});
