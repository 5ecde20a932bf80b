/** secrets/ and the real sops read each other's files. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../common/clock";
import { generateIdentity } from "../../secrets/age";
import { credentialOf } from "../../secrets/credentials";
import { SecretFiles } from "../../secrets/secret-files";
import { decryptSopsFile, encryptSopsFile, type SecretTree } from "../../secrets/sops-file";
import { describeReal } from "../support/real-parts";

const TREE: SecretTree = { vault: { kv: { a: { text: "it's\nünïcode", number: 5432, float: 1.5, flag: true, off: false, empty: "" } } } };
const WHEN = new Date("2025-11-14T06:20:46.123Z");

describeReal(["sops"], "sops", (pathOf) => {
  const identity = generateIdentity();
  const other = generateIdentity();
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-sops-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const decrypt = (text: string, keys = [identity]) => decryptSopsFile("f.yaml", text, keys);

  function sops(args: readonly string[], key = identity.secret) {
    return spawnSync(pathOf("sops"), args, { encoding: "utf8", cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, SOPS_AGE_KEY: key } });
  }

  function succeed(args: readonly string[], key?: string): string {
    const result = sops(args, key);
    expect([result.status, result.stderr]).toEqual([0, ""]);
    return result.stdout;
  }

  const file = () => path.join(folder, "a.yaml");

  test("what is written here opens with the real sops, with every type of value", () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    expect(JSON.parse(succeed(["decrypt", "--output-type", "json", file()]))).toEqual(TREE);
  });

  test("what the real sops changes in our file opens here", async () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    succeed(["set", file(), '["vault"]["kv"]["a"]["text"]', '"changed"']);
    expect(await decrypt(fs.readFileSync(file(), "utf8"))).toMatchObject({ vault: { kv: { a: { text: "changed", number: 5432 } } } });
  });

  test("what the real sops writes opens here", async () => {
    fs.writeFileSync(path.join(folder, "plain.json"), JSON.stringify(TREE));
    const text = succeed(["encrypt", "--age", identity.recipient, "--input-type", "json", "--output-type", "yaml", path.join(folder, "plain.json")]);
    expect(text).not.toContain("ünïcode");
    expect(await decrypt(text)).toEqual(TREE);
  });

  test("a file for two recipients opens with either key, in both directions", async () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient, other.recipient], WHEN));
    expect(JSON.parse(succeed(["decrypt", "--output-type", "json", file()], other.secret))).toEqual(TREE);
    fs.writeFileSync(path.join(folder, "plain.json"), JSON.stringify(TREE));
    const both = `${identity.recipient},${other.recipient}`;
    const text = succeed(["encrypt", "--age", both, "--input-type", "json", "--output-type", "yaml", path.join(folder, "plain.json")]);
    expect(await decrypt(text, [other])).toEqual(TREE);
  });

  test("a value that was changed by hand is refused by both", async () => {
    const text = encryptSopsFile(TREE, [identity.recipient], WHEN).replace(
      /(text: ENC\[AES256_GCM,data:)(.)/,
      (_, head: string, c: string) => head + (c === "A" ? "B" : "A"),
    );
    fs.writeFileSync(file(), text);
    expect(sops(["decrypt", file()]).status).not.toBe(0);
    await expect(decrypt(text)).rejects.toThrow();
  });

  test("another key opens nothing", () => {
    fs.writeFileSync(file(), encryptSopsFile(TREE, [identity.recipient], WHEN));
    expect(sops(["decrypt", file()], other.secret)).toMatchObject({ status: 128, stdout: "" });
  });

  describe("files of a checkout, by turns", () => {
    const entry = { folder: "common", entry: "app/db" };
    const at = () => path.join(folder, "secrets/common/app/db.yaml");
    const files = (key = identity) => new SecretFiles(() => [key], systemClock, path.join(folder, "secrets"));
    const config = (indent: number, ...recipients: string[]) =>
      fs.writeFileSync(path.join(folder, ".sops.yaml"), `stores:\n  yaml:\n    indent: ${indent}\ncreation_rules:\n  - age: ${recipients.join(",")}\n`);
    /** The file as the real sops decrypts it, with comments. */
    const theirs = (key?: string): string => succeed(["decrypt", at()], key);
    const theirValues = (key?: string): unknown => JSON.parse(succeed(["decrypt", "--output-type", "json", at()], key)).vault.kv.app.db;

    const PLAIN = `# at the head
vault:
    # in the first map
    kv:
        app:
            db:
                # above a key
                date: 2024-02-29
                text: one line # beside a value
                lines: |
                    -----BEGIN CERTIFICATE-----
                    AAAA
                    -----END CERTIFICATE-----
                port: 5432
                big: 9007199254740993
                ratio: 1.50
                on: true
                empty: ""
                # at the end of the map
# at the end
`;
    const comments = (text: string): string[] => [...text.matchAll(/^ *#.*$/gm)].map(([line]) => line.trim());

    function encryptPlain(plain = PLAIN): void {
      fs.mkdirSync(path.dirname(at()), { recursive: true });
      fs.writeFileSync(at(), plain);
      succeed(["encrypt", "--in-place", at()]);
    }

    test.each([2, 4])("what the real sops wrote, %d spaces a level: our set, removal, rotation and recipients keep every value, kind and comment", (indent) => {
      config(indent, identity.recipient);
      encryptPlain();
      const before = theirs();
      const kinds = theirValues();
      expect(comments(before)).toHaveLength(6);
      expect(files().read(entry)).toMatchObject({ date: "2024-02-29T00:00:00Z", port: "5432", big: "9007199254740993", ratio: "1.5", on: "true", empty: "" });

      expect(files().change(entry, () => ({ text: "changed\nby us: 'x'", ratio: undefined, added: "plus" }))).toEqual(["text", "ratio", "added"]);
      const { ratio: _, ...kept } = kinds as Record<string, unknown>;
      expect(theirValues()).toEqual({ ...kept, text: "changed\nby us: 'x'", added: "plus" });
      expect(comments(theirs())).toEqual(comments(before));

      files().rotate(entry);
      expect(theirValues()).toEqual({ ...kept, text: "changed\nby us: 'x'", added: "plus" });
      expect(comments(theirs())).toEqual(comments(before));

      config(indent, identity.recipient, other.recipient);
      expect(files().updateRecipients(entry)).toEqual({ added: [other.recipient], removed: [] });
      expect(theirValues(other.secret)).toEqual({ ...kept, text: "changed\nby us: 'x'", added: "plus" });
      config(indent, other.recipient);
      expect(files(other).updateRecipients(entry)).toEqual({ added: [], removed: [identity.recipient] });
      expect(sops(["decrypt", at()])).toMatchObject({ status: 128, stdout: "" });
    });

    test("what we wrote: their set, unset, edit, rotate and updatekeys open here", async () => {
      config(4, identity.recipient);
      fs.mkdirSync(path.join(folder, "secrets"));
      files().create(entry, { text: "it's\nünïcode", user: "app" });
      expect(theirValues()).toEqual({ text: "it's\nünïcode", user: "app" });
      succeed(["set", at(), '["vault"]["kv"]["app"]["db"]["port"]', "5432"]);
      succeed(["unset", at(), '["vault"]["kv"]["app"]["db"]["user"]']);
      expect(files().read(entry)).toEqual({ text: "it's\nünïcode", port: "5432" });

      const editor = path.join(folder, "editor.sh");
      fs.writeFileSync(editor, "#!/bin/sh\nsed -i 's/^\\( *\\)port:/\\1# from the editor\\n&/; s/5432/5433/' \"$1\"\n", { mode: 0o700 });
      const edit = spawnSync(pathOf("sops"), ["edit", at()], {
        encoding: "utf8",
        cwd: folder,
        env: { PATH: process.env["PATH"], HOME: folder, SOPS_AGE_KEY: identity.secret, EDITOR: editor },
      });
      expect([edit.status, edit.stderr]).toEqual([0, ""]);
      expect(files().read(entry)).toEqual({ text: "it's\nünïcode", port: "5433" });
      expect(comments(theirs())).toEqual(["# from the editor"]);

      succeed(["rotate", "--in-place", at()]);
      expect(files().read(entry)).toEqual({ text: "it's\nünïcode", port: "5433" });
      config(4, other.recipient);
      expect(sops(["updatekeys", "--yes", at()]).status).toBe(0);
      expect(files(other).read(entry)).toEqual({ text: "it's\nünïcode", port: "5433" });
      expect(() => files().read(entry)).toThrow("none of your age keys is among its recipients");
    });

    test("a credential that we made, and made anew in their file", async () => {
      config(4, identity.recipient);
      fs.mkdirSync(path.join(folder, "secrets"));
      const redis = await credentialOf("redis", []).make();
      files().create(entry, redis);
      expect(theirValues()).toEqual(redis);
      encryptPlain();
      const again = await credentialOf("redis", []).make();
      files().change(entry, () => again);
      expect(theirValues()).toMatchObject({ ...again, port: 5432 });
    });

    test("a null, which the real sops leaves as it is, is refused by name and can be mended with it", () => {
      config(4, identity.recipient);
      encryptPlain("vault:\n    kv:\n        app:\n            db:\n                key: v\n                gone: null\n");
      expect(() => files().read(entry)).toThrow("secrets/common/app/db.yaml: vault.kv.app.db.gone is null");
      succeed(["unset", at(), '["vault"]["kv"]["app"]["db"]["gone"]']);
      expect(files().read(entry)).toEqual({ key: "v" });
    });

    test("damage is refused by both: a MAC, a removed value, a swapped value, a cut end", () => {
      config(4, identity.recipient);
      encryptPlain();
      const whole = fs.readFileSync(at(), "utf8");
      const line = (key: string): string => new RegExp(`^ *${key}: (.*)$`, "m").exec(whole)?.[1] ?? "";
      for (const damaged of [
        whole.replace(/lastmodified: .*/, 'lastmodified: "2020-01-01T00:00:00Z"'),
        whole.replace(/^ *port: .*\n/m, ""),
        whole.replace(line("port"), "#").replace(line("big"), line("port")).replace("#", line("big")),
        whole.slice(0, whole.indexOf("\nsops:") + 1),
      ]) {
        fs.writeFileSync(at(), damaged);
        expect(sops(["decrypt", at()]).status).not.toBe(0);
        expect(() => files().read(entry)).toThrow("secrets/common/app/db.yaml: ");
      }
    });
  });
});
