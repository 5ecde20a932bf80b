import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { generateIdentity } from "./age";
import { loadSecrets } from "./load";
import { encryptSopsFile, type SecretTree } from "./sops-file";
import { entriesOf, treeAt } from "./vault-paths";

const identity = generateIdentity();
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-secrets-"));
  process.env["SOPS_AGE_KEY"] = identity.secret;
  delete process.env["SOPS_AGE_KEY_FILE"];
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** Writes an entry where its path says. */
function put(folder: string, entry: string, values: SecretTree, at = entry): void {
  const file = path.join(root, folder, `${at}.yaml`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const kv = entry.split("/").reduceRight<SecretTree>((below, part) => ({ [part]: below }), values);
  fs.writeFileSync(file, encryptSopsFile({ vault: { kv } }, [identity.recipient], new Date(0)));
}

const load = (options: Parameters<typeof loadSecrets>[0] = {}) => loadSecrets({ root, ...options });

test("entries come by their path below the mount, as text", async () => {
  put("common", "cloudflare", { "api-token": "t0ken" });
  put("common", "store/POSTGRES", { PORT: 5432, TLS: true });
  expect(await load()).toEqual(
    new Map([
      ["cloudflare", { "api-token": "t0ken" }],
      ["store/POSTGRES", { PORT: "5432", TLS: "true" }],
    ]),
  );
});

test("an environment's value wins over the common one, key by key, and only there", async () => {
  put("common", "db", { user: "common", password: "common" });
  put("dev", "db", { password: "dev" });
  put("dev", "own", { key: "value" });
  expect(await load({ environment: "dev" })).toEqual(
    new Map([
      ["db", { user: "common", password: "dev" }],
      ["own", { key: "value" }],
    ]),
  );
  expect(await load({ environment: "stg" })).toEqual(new Map([["db", { user: "common", password: "common" }]]));
});

test("for several environments each file is opened once, and each has its own values over the common ones", async () => {
  put("common", "db", { user: "common", password: "common" });
  put("dev", "db", { password: "dev" });
  put("stg", "db", { password: "stg" });
  const opened = new Map();
  expect(await load({ environment: "dev", opened })).toEqual(new Map([["db", { user: "common", password: "dev" }]]));
  // Reading this file again would fail.
  fs.writeFileSync(path.join(root, "common", "db.yaml"), "plain: text\n");
  expect(await load({ environment: "stg", opened })).toEqual(new Map([["db", { user: "common", password: "stg" }]]));
  expect([...opened.keys()].map((file) => path.relative(root, file))).toEqual(["common/db.yaml", "dev/db.yaml", "stg/db.yaml"]);
});

test("only what is named is decrypted, and what is named must be there", async () => {
  put("common", "a", { key: "one" });
  fs.writeFileSync(path.join(root, "common", "broken.yaml"), "plain: text\n");
  expect(await load({ only: ["a"] })).toEqual(new Map([["a", { key: "one" }]]));
  await expect(load({ only: ["a", "b"] })).rejects.toMatchObject({ code: "E_SECRET_FILE", message: 'there is no secret file for "b"' });
});

test("a value that its readers cannot take is refused by its name, also where a stack has its own; the error does not show it", async () => {
  const entry = "cluster-secret-store/secrets/EXTERNAL_DNS_PIHOLE_PASSWORD";
  put("common", entry, { PIHOLE_PASSWORD: "fine" });
  put("dev", entry, { PIHOLE_PASSWORD: 'hunter"2' });
  expect((await load({ environment: "stg" })).get(entry)).toEqual({ PIHOLE_PASSWORD: "fine" });
  const refused = await load({ environment: "dev" }).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: "E_SECRET_VALUE", message: expect.stringContaining("PIHOLE_PASSWORD of secrets/") });
  expect(String(refused)).not.toContain("hunter");
});

test("one file that does not open stops everything", async () => {
  put("common", "a", { key: "one" });
  fs.writeFileSync(path.join(root, "common", "broken.yaml"), "plain: text\n");
  await expect(load()).rejects.toMatchObject({ code: "E_SECRET_PLAIN", subject: "secrets/common/broken.yaml" });
});

test("every value and the key itself are registered for the redactor", async () => {
  put("common", "a", { key: "one", other: "two" });
  const registered: string[] = [];
  await load({ register: (value) => registered.push(value) });
  expect(registered).toEqual([identity.secret, "one", "two"]);
});

test.each([
  ["a value beside a map", "common/a.yaml", { vault: { kv: { a: { key: "v", below: { deep: "w" } } } } }, 'secrets/common/a.yaml: "a" has values beside maps'],
  [
    "another top key",
    "common/a.yaml",
    { vault: { kv: { a: { key: "v" } } }, other: { a: "b" } },
    'secrets/common/a.yaml: unexpected top key "other"; the only one is "vault"',
  ],
  ["no top key", "common/a.yaml", { kv: { a: { key: "v" } } }, 'secrets/common/a.yaml: unexpected top key "kv"; the only one is "vault"'],
  ["another mount", "common/a.yaml", { vault: { secret: { a: { key: "v" } } } }, 'secrets/common/a.yaml: the only mount is "kv", not "secret"'],
  ["another path than its place", "common/a.yaml", { vault: { kv: { b: { key: "v" } } } }, 'secrets/common/a.yaml: it holds "b", and its place says "a"'],
])("a file with %s is refused", async (_, file, tree, message) => {
  fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), encryptSopsFile(tree, [identity.recipient], new Date(0)));
  await expect(load()).rejects.toMatchObject({ code: "E_SECRET_SHAPE", message });
});

test("an empty entry is refused", () => {
  expect(() => entriesOf("f", { vault: { kv: { a: {} } } }, "a")).toThrow('f: "a" is empty');
});

test.each([
  ["another kind of file", "notes.txt", Buffer.from("x"), "E_SECRET_FILE"],
  ["a binary file", "a.yaml", Buffer.from([0, 1, 2]), "E_SECRET_FORMAT"],
  ["a huge file", "a.yaml", Buffer.alloc(1024 * 1024 + 1, "a"), "E_SECRET_FORMAT"],
])("%s among the secrets is refused", async (_, name, content, code) => {
  fs.mkdirSync(path.join(root, "common"));
  fs.writeFileSync(path.join(root, "common", name), content);
  await expect(load()).rejects.toMatchObject({ code });
});

test.each([
  ["common/a/b/c.yaml", false],
  ["dev/a/b/c.yaml", false],
  ["common/clusters/dev.yaml", false],
  ["common/environments.yaml", false],
  ["common/cluster-secret-store/secrets/a/b.yaml", false],
  ["common/a/b.yaml", true],
  ["common/cluster-secret-store/secrets/A.yaml", true],
])("an entry lies where the policies of Vault have a place for it: %s", async (file, isPlace) => {
  const entry = file.replace(/^[^/]+\//, "").replace(/\.yaml$/, "");
  const write = (at: string, tree: Parameters<typeof encryptSopsFile>[0]): void => {
    fs.mkdirSync(path.join(root, path.dirname(at)), { recursive: true });
    fs.writeFileSync(path.join(root, at), encryptSopsFile(tree, [identity.recipient], new Date(0)));
  };
  write("common/plain.yaml", { vault: { kv: { plain: { key: "value-of-it" } } } });
  write(file, treeAt(entry, { key: "value-of-it" }));
  const loaded = load({ environment: "dev" });
  if (isPlace) expect([...(await loaded).keys()]).toContain(entry);
  else await expect(loaded).rejects.toMatchObject({ code: "E_SECRET_FILE", message: `${path.join(root, file)} lies where Vault has no place for an entry` });
});

test("a folder without secrets is an error, not an empty answer", async () => {
  await expect(load()).rejects.toMatchObject({ code: "E_SECRET_FILE", message: `there are no secrets in ${path.join(root, "common")}` });
});

describe("age keys", () => {
  beforeEach(() => {
    put("common", "a", { key: "one" });
    delete process.env["SOPS_AGE_KEY"];
  });

  test("a missing key is an error that says how to name one", async () => {
    await expect(load()).rejects.toMatchObject({
      code: "E_AGE_KEY_MISSING",
      hint: "set SOPS_AGE_KEY_FILE to your key file (in the lab: secrets/lab-only.agekey)",
    });
  });

  test("a file that is not there is named", async () => {
    process.env["SOPS_AGE_KEY_FILE"] = path.join(root, "nowhere");
    await expect(load()).rejects.toMatchObject({ code: "E_AGE_KEY_FILE", subject: path.join(root, "nowhere") });
  });

  test("a damaged one is an error that does not show it", async () => {
    process.env["SOPS_AGE_KEY"] = identity.secret.replace("KEY-1", "KEY-1Q");
    await expect(load()).rejects.toMatchObject({ code: "E_AGE_KEY", message: "an age key is damaged" });
  });

  test("comments in a key file are skipped, and the error for a wrong key names the recipients", async () => {
    const file = path.join(root, "key.txt");
    fs.writeFileSync(file, `# created: today\n# public key: ${identity.recipient}\n${identity.secret}\n`);
    process.env["SOPS_AGE_KEY_FILE"] = file;
    expect(await load()).toEqual(new Map([["a", { key: "one" }]]));
    fs.writeFileSync(file, generateIdentity().secret);
    await expect(load()).rejects.toMatchObject({ code: "E_SECRET_RECIPIENT", subject: "secrets/common/a.yaml" });
  });
});
