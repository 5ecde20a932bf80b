/** `homelab secrets` as a shell runs it: values on standard input, exit codes, and what is on the disk afterwards. */
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { newAuthority } from "../../common/authority";
import { quote } from "../../common/quote";
import { restoreAuthority } from "../../lab/core/tls";
import { generateIdentity } from "../../secrets/age";
import { decryptSopsFile } from "../../secrets/sops-file";
import { runHere } from "../support/command-line";
import { runCommand, startCommand } from "../support/run-command";
import { testWhere } from "../support/skips";

const root = path.join(__dirname, "../..");
const me = generateIdentity();
const ci = generateIdentity();
let folder: string;

const config = (...recipients: string[]) =>
  fs.writeFileSync(path.join(folder, ".sops.yaml"), `creation_rules:\n  - path_regex: secrets/.*\\.yaml$\n    age: ${recipients.join(",")}\n`);
const fileOf = (entry: string, below = "common") => path.join(folder, "secrets", below, `${entry}.yaml`);
const text = (entry: string) => fs.readFileSync(fileOf(entry), "utf8");
const open = async (entry: string, identity = me) => decryptSopsFile("f", text(entry), [identity]);

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-commands-"));
  fs.mkdirSync(path.join(folder, "secrets/common"), { recursive: true });
  config(me.recipient, ci.recipient);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const environment = (more: Record<string, string>): Record<string, string | undefined> => ({
  ...process.env,
  SOPS_AGE_KEY: me.secret,
  SOPS_AGE_KEY_FILE: undefined,
  HOMELAB_SECRETS_DIR: path.join(folder, "secrets"),
  ...more,
});

const start = (args: readonly string[], more: Record<string, string> = {}) =>
  startCommand("orchestrator/main.js", ["secrets", ...args], { env: environment(more) });

const run = (args: readonly string[], input: string | Buffer = "", more: Record<string, string> = {}) => runCommand(start(args, more), input);

/** The same without a process, which is faster: for the many refusals, and for preparations. */
const call = (args: readonly string[], input: string | Buffer = "", more: Record<string, string> = {}) =>
  runHere(["secrets", ...args], environment(more), input);

const put = (entry: string, key: string, value: string) => call(["new", entry, key], value);

test("a value goes in by standard input, comes out as it was, and changes alone", async () => {
  expect(await run(["new", "app/db", "PASSWORD"], "it's\nünïcode\n")).toEqual({ code: 0, out: "secrets/common/app/db.yaml: PASSWORD written\n", err: "" });
  expect(await run(["set", "app/db", "USER"], "the-user-name\n")).toMatchObject({ code: 0 });
  const before = text("app/db");
  expect((await run(["get", "app/db", "PASSWORD"])).out).toBe("it's\nünïcode");
  expect(await run(["set", "app/db", "USER"], "another-user")).toMatchObject({ code: 0, out: "secrets/common/app/db.yaml: USER written\n" });
  expect(await open("app/db")).toEqual({ vault: { kv: { app: { db: { PASSWORD: "it's\nünïcode", USER: "another-user" } } } } });
  const password = (whole: string) => whole.split("\n").find((line) => line.includes("PASSWORD:"));
  expect(password(text("app/db"))).toBe(password(before));
  expect((await run(["list"], "", { SOPS_AGE_KEY: "" })).out).toBe("common   app/db: PASSWORD, USER\n");
  expect(fs.readdirSync(path.join(folder, "secrets"))).toEqual(["common"]);
});

test("rotate gives a new data key, recipients adds and removes readers", async () => {
  await put("a", "key", "value-of-a");
  const before = text("a");
  expect(await run(["rotate", "a"])).toMatchObject({ code: 0 });
  expect(
    text("a")
      .split("\n")
      .find((line) => line.includes("key:")),
  ).not.toBe(before.split("\n").find((line) => line.includes("key:")));
  expect(await open("a", ci)).toEqual({ vault: { kv: { a: { key: "value-of-a" } } } });
  config(me.recipient);
  expect(await run(["check"])).toMatchObject({ code: 4, err: expect.stringContaining(`it is still encrypted to ${ci.recipient}`) });
  expect((await run(["recipients"])).out).toBe(`secrets/common/a.yaml: - ${ci.recipient}\n`);
  await expect(open("a", ci)).rejects.toMatchObject({ code: "E_SECRET_RECIPIENT" });
  expect(await open("a")).toEqual({ vault: { kv: { a: { key: "value-of-a" } } } });
  expect(await run(["check"])).toMatchObject({ code: 0 });
});

test("where the key is lost, each file is made anew for another one by what its list of keys says (docs/runbooks.md)", async () => {
  await put("app/db", "PASSWORD", "value-of-password");
  await run(["set", "app/db", "USER"], "value-of-user");
  await put("other", "key", "value-of-other");
  const mine = generateIdentity();
  const now = { SOPS_AGE_KEY: mine.secret };
  config(mine.recipient);
  for (const args of [["set", "app/db", "USER"], ["recipients"], ["rotate"]]) expect(await run(args, "x", now)).toMatchObject({ code: 1 });
  expect((await run(["list"], "", now)).out).toBe("common   app/db: PASSWORD, USER\ncommon   other: key\n");
  fs.renameSync(fileOf("app/db"), path.join(folder, "db.yaml"));
  expect(await run(["new", "app/db", "PASSWORD"], "another-password", now)).toMatchObject({ code: 0 });
  expect(await run(["set", "app/db", "USER"], "another-user", now)).toMatchObject({ code: 0 });
  expect(await open("app/db", mine)).toEqual({ vault: { kv: { app: { db: { PASSWORD: "another-password", USER: "another-user" } } } } });
  const check = await run(["check"], "", now);
  expect([check.code, check.err]).toEqual([4, expect.stringContaining("secrets/common/other.yaml")]);
  expect(check.err).not.toContain("app/db");
});

const openssl = testWhere(fs.existsSync("/usr/bin/openssl"), "OpenSSL is not installed");

openssl("where the own authority has expired, what docs/runbooks.md says makes what it signed valid again", async () => {
  const [, script = ""] = /## A certificate has expired[\s\S]*?```sh\n([\s\S]*?)```/.exec(fs.readFileSync(path.join(root, "docs/runbooks.md"), "utf8")) ?? [];
  const DAY = 86_400_000;
  const { cert, key } = await newAuthority("homelab example.org", Date.now() - 3_660 * DAY);
  const leaf = await (await restoreAuthority({ cert, key })).issue(["vault.example.org"]);
  await put("certificate-authority", "tls.crt", cert);
  await run(["set", "certificate-authority", "tls.key"], key);
  fs.mkdirSync(path.join(folder, "site"));
  const file = path.join(folder, "site/authority.pem");
  fs.writeFileSync(file, cert);
  fs.writeFileSync(path.join(folder, "leaf.pem"), leaf.cert);
  const shell = (text: string) =>
    runCommand(
      spawn("sh", ["-ec", text], {
        cwd: folder,
        env: { PATH: `${folder}/bin:/usr/bin:/bin`, SOPS_AGE_KEY: me.secret, HOMELAB_SECRETS_DIR: path.join(folder, "secrets"), HOME: folder },
        stdio: ["pipe", "pipe", "pipe"],
      }),
    );
  fs.mkdirSync(path.join(folder, "bin"));
  const homelab = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(path.join(root, "orchestrator/bin/homelab"))} "$@"\n`;
  fs.writeFileSync(path.join(folder, "bin/homelab"), homelab, { mode: 0o700 });
  const verify = "openssl verify -CAfile site/authority.pem leaf.pem";
  expect((await shell(verify)).err).toContain("certificate has expired");

  const done = await shell(script);
  expect([done.code, done.out]).toEqual([0, "secrets/common/certificate-authority.yaml: tls.crt written\n"]);
  expect((await shell(verify)).out).toBe("leaf.pem: OK\n");
  const renewed = new X509Certificate(fs.readFileSync(file));
  const former = new X509Certificate(cert);
  expect([renewed.ca, renewed.subject, renewed.keyUsage]).toEqual([true, former.subject, former.keyUsage]);
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.now() + 3_600 * DAY);
  const values = { "tls.crt": fs.readFileSync(file, "utf8").trimEnd(), "tls.key": key.trimEnd() };
  const found = await open("certificate-authority");
  expect(JSON.stringify(found).replaceAll('\\n"', '"')).toBe(JSON.stringify({ vault: { kv: { "certificate-authority": values } } }));
  // No private key is left in plaintext.
  expect(fs.readdirSync(folder).toSorted()).toEqual([".sops.yaml", "bin", "leaf.pem", "secrets", "site"]);
});

test("check refuses a plaintext file, a private key and a file of another kind, by name", async () => {
  await put("a", "key", "value-of-a");
  fs.writeFileSync(fileOf("plain"), "vault:\n  kv:\n    plain:\n      password: hunter2-hunter2\n");
  fs.writeFileSync(path.join(folder, "secrets/notes.md"), `my key: ${generateIdentity().secret}\n`);
  fs.writeFileSync(path.join(folder, "secrets/dump.json"), "{}");
  const { code, err } = await run(["check"], "", { SOPS_AGE_KEY: "" });
  expect(code).toBe(4);
  expect(err).toContain("secrets/common/plain.yaml: it is not encrypted: it has no sops section\n");
  expect(err).toContain("secrets/notes.md: it holds a private age key;");
  expect(err).toContain("secrets/dump.json: it is no .yaml file");
  expect(err).not.toContain("hunter2");
});

test("check passes a key that is marked as lab-only, and no other one of the same file", async () => {
  await put("a", "key", "value-of-a");
  const notes = path.join(folder, "secrets/notes.md");
  const { secret } = generateIdentity();
  for (const marked of [`${secret} # lab-only\n`, `# LAB-ONLY: opens nothing.\n# public key: …\n${secret}\n`, `  // lab-only\n  const key = "${secret}";\n`]) {
    fs.writeFileSync(notes, marked);
    expect(await run(["check"])).toMatchObject({ code: 0 });
    fs.writeFileSync(notes, `${marked}\n${generateIdentity().secret}\n`);
    expect(await run(["check"])).toMatchObject({ code: 4, err: expect.stringContaining("secrets/notes.md: it holds a private age key;") });
  }
});

test("the checkout's own files may be committed as they are", async () => {
  expect(await run(["check"], "", { HOMELAB_SECRETS_DIR: path.join(root, "secrets"), SOPS_AGE_KEY: "" })).toMatchObject({ code: 0, err: "" });
});

test("a credential is made in one place, and its owner and readers are named", async () => {
  const { code, out } = await run(["generate", "redis"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^owner: Valkey \((stacks? [\w, -]+; its pod restarts|no stack has it yet)\)\nalso read by: applications with a cache$/m);
  const entry = "cluster-secret-store/secrets/REDIS";
  const first = (await run(["get", entry, "REDIS_PASSWORD"])).out;
  expect(first).toMatch(/^[\w-]{32}$/);
  await run(["generate", "redis"]);
  expect((await run(["get", entry, "REDIS_PASSWORD"])).out).not.toBe(first);
});

const editor = (script: string): Record<string, string> => {
  const file = path.join(folder, "editor.sh");
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return { EDITOR: quote(file), VISUAL: "" };
};

describe("edit", () => {
  beforeEach(() => put("a", "key", "value-of-a"));

  test("changes, adds and removes keys", async () => {
    expect(await run(["edit", "a"], "", editor('printf "other: new-value\\n" > "$1"'))).toMatchObject({ code: 0 });
    expect(await open("a")).toEqual({ vault: { kv: { a: { other: "new-value" } } } });
  });

  test.each([
    ["an editor that fails", "exit 3", "the editor"],
    ["text that is no list of keys", 'echo "value-of-a: [" > "$1"', "what you left in the editor is no list"],
    ["an empty file", ': > "$1"', "what you left in the editor is no list"],
  ])("%s changes nothing", async (_, script, message) => {
    const before = text("a");
    expect(await run(["edit", "a"], "", editor(script))).toMatchObject({ code: 1, err: expect.stringContaining(message) });
    expect(text("a")).toBe(before);
  });

  test("somebody else's change meanwhile is not lost", async () => {
    const other = `SOPS_AGE_KEY=${me.secret} HOMELAB_SECRETS_DIR=${quote(`${folder}/secrets`)} ${quote(process.execPath)} ${quote(`${root}/bin/orchestrator/main.js`)} secrets set a key`;
    expect(await run(["edit", "a"], "", editor(`printf theirs-value | ${other} >&2\nprintf "key: mine\\n" > "$1"`))).toMatchObject({
      code: 1,
      err: expect.stringContaining("was changed by somebody else meanwhile; nothing was written"),
    });
    expect(await open("a")).toEqual({ vault: { kv: { a: { key: "theirs-value" } } } });
  });

  test("a kill leaves no plaintext behind, also not what the editor wrote beside it", async () => {
    const seen = path.join(folder, "seen");
    const child = start(["edit", "a"], editor(`cp "$1" "$(dirname "$1")/.swap"; echo "$1 $$" > "${seen}.part"; mv "${seen}.part" "${seen}"; sleep 60`));
    while (!fs.existsSync(seen)) await new Promise((resolve) => setTimeout(resolve, 20));
    const [file = "", pid = ""] = fs.readFileSync(seen, "utf8").trim().split(" ");
    const private_ = path.dirname(file);
    expect(fs.readFileSync(file, "utf8")).toBe("key: value-of-a\n");
    expect([fs.statSync(private_).mode & 0o777, fs.statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    process.kill(Number(pid), "SIGKILL");
    while (fs.existsSync(private_)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await open("a")).toEqual({ vault: { kv: { a: { key: "value-of-a" } } } });
  });
});

describe("bad input", () => {
  beforeEach(() => put("a", "key", "value-of-a"));
  const damage = (change: (whole: string) => string | Buffer) => () => fs.writeFileSync(fileOf("a"), change(text("a")));
  const nothing = () => undefined;

  test.each<[string, string[], () => void, { code?: number; input?: string; env?: Record<string, string>; says: string }]>([
    ["no age key", ["get", "a", "key"], nothing, { env: { SOPS_AGE_KEY: "" }, says: "there is no age key" }],
    [
      "the wrong age key",
      ["get", "a", "key"],
      nothing,
      { env: { SOPS_AGE_KEY: generateIdentity().secret }, says: "none of your age keys is among its recipients" },
    ],
    ["a damaged age key", ["get", "a", "key"], nothing, { env: { SOPS_AGE_KEY: "AGE-SECRET-KEY-1QQQQ" }, says: "an age key is damaged" }],
    [
      "a file that is cut off",
      ["set", "a", "key"],
      damage((whole) => whole.slice(0, 300)),
      { input: "x", says: "secrets/common/a.yaml: its sops section is damaged" },
    ],
    [
      "a MAC that does not match",
      ["rotate", "a"],
      damage((whole) => whole.replace(/lastmodified: .*/, 'lastmodified: "2020-01-01T00:00:00Z"')),
      { says: "it does not decrypt" },
    ],
    [
      "a value changed by hand",
      ["view", "a"],
      damage((whole) => whole.replace(/(data:)(.)/, (_, a, c) => a + (c === "A" ? "B" : "A"))),
      { says: "it does not decrypt" },
    ],
    ["a key that stands twice", ["get", "a", "key"], damage((whole) => `${whole}vault: {}\n`), { says: "a key stands in it twice" }],
    ["a binary file", ["get", "a", "key"], damage(() => Buffer.from([1, 0, 2])), { says: "it is binary" }],
    ["a huge file", ["get", "a", "key"], damage(() => "x".repeat(1024 * 1024 + 1)), { says: "it is larger than 1 MiB" }],
    ["an empty file", ["edit", "a"], damage(() => ""), { says: "it is not a YAML map, or it is cut off" }],
    ["no such entry", ["get", "b", "key"], nothing, { code: 2, says: "there is no secrets/common/b.yaml" }],
    ["no such key", ["get", "a", "other"], nothing, { code: 2, says: 'there is no "other" in secrets/common/a.yaml' }],
    ["an entry that is there already", ["new", "a", "key"], nothing, { input: "x", says: "secrets/common/a.yaml already exists" }],
    ["a path that Vault has no place for", ["new", "a/b/c", "key"], nothing, { code: 2, input: "x", says: 'Vault has no place for an entry "a/b/c"' }],
    ["a path out of the folder", ["new", "../../x", "key"], nothing, { code: 2, input: "x", says: "is no name of an entry" }],
    ["a key that sops would not encrypt", ["set", "a", "b_unencrypted"], nothing, { code: 2, input: "x", says: "would leave the value" }],
    [
      "an empty value",
      ["set", "a", "key"],
      nothing,
      { code: 2, says: "no value for key: standard input is empty\n  next: for example: homelab secrets set a key < file" },
    ],
    [
      "no value for an entry that is new",
      ["new", "b", "key", "--env", "dev"],
      nothing,
      { code: 2, says: "no value for key: standard input is empty\n  next: for example: homelab secrets new b key --env dev < file" },
    ],
    ["a value as an argument", ["set", "a", "key", "hunter2-hunter2"], nothing, { code: 2, says: "secrets set takes <entry> <key>" }],
    ["a huge value", ["set", "a", "key"], nothing, { code: 2, input: "x".repeat(600_000), says: "larger than 512 KiB" }],
    ["several keys on one standard input", ["new", "b", "k1", "k2"], nothing, { code: 2, input: "x", says: "standard input gives one value" }],
    ["an unknown environment", ["set", "a", "key", "--env", "prodd"], nothing, { code: 2, input: "x", says: "prodd" }],
    ["an unknown credential", ["generate", "oracle"], nothing, { code: 2, says: '"oracle" is not a credential that homelab generates' }],
    ["an unknown verb", ["frobnicate"], nothing, { code: 2, says: "secrets takes list" }],
    ["a folder that is not there", ["list"], nothing, { env: { HOMELAB_SECRETS_DIR: "/nowhere/secrets" }, says: "there is no folder /nowhere/secrets" }],
    ["no rule for recipients", ["recipients"], () => config(), { says: "creation rule 1 is the one for secrets/common/a.yaml, and it has no recipient" }],
    [
      "another writer at work",
      ["set", "a", "key"],
      () => fs.writeFileSync(path.join(folder, "secrets/.lock"), String(process.pid)),
      { input: "x", says: "another process is writing secrets" },
    ],
  ])("%s", async (_, args, prepare, { code = 1, input = "", env = {}, says }) => {
    prepare();
    const before = text("a");
    const result = await call(args, input, env);
    expect([result.code, result.err]).toEqual([code, expect.stringContaining(says)]);
    expect(result.out + result.err).not.toMatch(/hunter2|value-of-a|AGE-SECRET-KEY-1[A-Z0-9]|internal error/);
    expect([text("a"), fs.readdirSync(path.join(folder, "secrets/common"))]).toEqual([before, ["a.yaml"]]);
  });

  test("of writers at once each is done or told so, and the file has exactly what was done", async () => {
    const keys = ["one", "two", "three", "four"];
    const results = await Promise.all(keys.map((key) => run(["set", "a", key], `value-of-${key}`)));
    const done = keys.filter((_, index) => results[index]?.code === 0);
    expect(done.length).toBeGreaterThan(0);
    for (const { code, err } of results.filter((result) => result.code !== 0)) {
      expect(code).toBe(1);
      expect(err).toMatch(/another process is writing secrets|was changed by somebody else meanwhile/);
      expect(err).toContain("nothing was written\n  next: run it again");
    }
    expect(await open("a")).toEqual({ vault: { kv: { a: { key: "value-of-a", ...Object.fromEntries(done.map((key) => [key, `value-of-${key}`])) } } } });
    expect(fs.readdirSync(path.join(folder, "secrets"))).toEqual(["common"]);
  });

  test("the lock of a writer that was killed is taken over", async () => {
    const dead = spawn("true");
    await new Promise((resolve) => dead.once("close", resolve));
    fs.writeFileSync(path.join(folder, "secrets/.lock"), String(dead.pid));
    expect(await run(["set", "a", "key"], "next-value")).toMatchObject({ code: 0 });
  });
});
