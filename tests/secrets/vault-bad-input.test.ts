/**
 * Problems with the Vault, its keys or its token, by the commands themselves, against a Vault of the lab. Each error names the thing and
 * the next step, has an exit code, and leaves files and Vault as they were.
 */
import * as fs from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { createContext } from "../../lab/core/context";
import { startVault, type VaultServer } from "../../lab/vault";
import { type AgeIdentity, generateIdentity } from "../../secrets/age";
import { encryptSopsFile } from "../../secrets/sops-file";
import { treeAt } from "../../secrets/vault-paths";
import { runHere } from "../support/command-line";
import { type CommandResult, runCommand, startCommand } from "../support/run-command";

const me = generateIdentity();
const initSchema = z.object({ root_token: z.string(), keys_base64: z.array(z.string()) });

let folder: string;
let vault: VaultServer;
let address: string;
let unsealKeys: string[];
let rootToken: string;
let servers: Server[];

async function api(method: string, route: string, body?: unknown, token = rootToken): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${address}/v1/${route}`, {
    method,
    headers: { "x-vault-token": token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
}

const keysFile = (): string => path.join(folder, "keys", `${new URL(address).host.replace(":", "-")}.yaml`);
const entryFile = (entry: string): string => path.join(folder, "secrets/common", `${entry}.yaml`);

function putEntry(entry: string, recipient = me.recipient): void {
  fs.mkdirSync(path.dirname(entryFile(entry)), { recursive: true });
  fs.writeFileSync(entryFile(entry), encryptSopsFile(treeAt(entry, { key: "value-in-git" }), [recipient], new Date(0)));
}

function putKeys(keys: readonly string[], identity: AgeIdentity = me): string {
  const unseal_keys = Object.fromEntries(keys.map((key, index) => [`key${index + 1}`, key]));
  const text = encryptSopsFile({ init: { root_token: rootToken, unseal_keys } }, [identity.recipient], new Date(0));
  fs.mkdirSync(path.dirname(keysFile()), { recursive: true });
  fs.writeFileSync(keysFile(), text);
  return text;
}

/** A server that is not Vault, or a broken Vault. */
async function impostor(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function environment(more: Record<string, string | undefined>): Record<string, string | undefined> {
  const own = { PATH: process.env["PATH"], HOME: folder, VAULT_ADDR: address, SOPS_AGE_KEY: me.secret };
  const folders = { HOMELAB_VAULT_KEYS_DIR: path.join(folder, "keys"), HOMELAB_SECRETS_DIR: path.join(folder, "secrets") };
  return { ...own, ...folders, ...more };
}

const execute = (script: string, args: readonly string[], env: Record<string, string | undefined>, input = ""): Promise<CommandResult> =>
  runCommand(startCommand(script, args, { cwd: folder, env: environment(env) }), input);

/** Runs a command as a person types it, in this process. */
const homelab = (args: readonly string[], env: Record<string, string | undefined> = {}) => runHere(["vault", ...args], environment(env));
/** The part of `homelab vault orphans|delete` that talks to Vault, after address and token were read from the state. */
const entries = (verb: "orphans" | "delete", names: readonly string[] = [], env: Record<string, string | undefined> = {}) =>
  execute("secrets/vault.main.js", [verb], { VAULT_TOKEN: rootToken, ...env }, names.join("\n"));

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-bad-"));
  servers = [];
  putEntry("in/git");
  vault = await startVault("vault", await createContext());
  address = `http://127.0.0.1:${vault.port}`;
  const init = initSchema.parse((await api("PUT", "sys/init", { secret_shares: 5, secret_threshold: 3 }, "")).body);
  unsealKeys = init.keys_base64;
  rootToken = init.root_token;
});
afterEach(async () => {
  for (const server of servers) server.close();
  await vault.stop();
  fs.rmSync(folder, { recursive: true });
});

const unseal = async (): Promise<void> => {
  for (const key of unsealKeys.slice(0, 3)) await api("PUT", "sys/unseal", { key });
};

async function open(...paths: string[]): Promise<void> {
  await unseal();
  await api("POST", "sys/mounts/kv", { type: "kv", options: { version: "2" } });
  for (const at of paths) expect((await api("POST", `kv/data/${at}`, { data: { key: "value-in-vault" } })).status).toBe(200);
}

const sealed = async (): Promise<unknown> => (await api("GET", "sys/seal-status")).body;

/** Asserts that a result has no secret, no stack trace and no internal error. */
function expectSilent({ out, err }: CommandResult): void {
  for (const secret of [...unsealKeys, rootToken, me.secret, "value-in-git", "value-in-vault"]) expect(out + err).not.toContain(secret);
  expect(out + err).not.toMatch(/ at .*\.js:\d|bug/);
}

describe("the address", () => {
  test.each<[string, string, { code: number; says: string; next: string }]>([
    ["is none", "vault", { code: 2, says: "VAULT_ADDR is no address of a Vault", next: "VAULT_ADDR=https://" }],
    ["is a file", "file:///vault", { code: 2, says: "VAULT_ADDR is no address of a Vault", next: "VAULT_ADDR=https://" }],
    ["holds a password", "https://me:hunter2@vault", { code: 2, says: "VAULT_ADDR is no address of a Vault", next: "VAULT_ADDR=https://" }],
    ["leads nowhere", "http://127.0.0.1:1", { code: 1, says: "GET http://127.0.0.1:1: no answer", next: "check that 127.0.0.1:1 is up" }],
  ])("%s", async (_, given, { code, says, next }) => {
    const result = await homelab(["status"], { VAULT_ADDR: given });
    expect([result.code, result.out]).toEqual([code, ""]);
    expect(result.err).toContain(says);
    expect(result.err).toContain(next);
    expect(result.err).not.toContain("hunter2");
    expectSilent(result);
  });

  test.each<[string, number, string, string, string]>([
    ["a page of a web server", 200, "<html>hello</html>", "is not Vault: it was asked to tell its state", "correct the address"],
    ["an ingress without a route", 404, "404 page not found", "refused to tell its state (404)", "look at the ingress"],
    ["a Vault that fails", 500, '{"errors":["internal error"]}', "refused to tell its state (500): internal error", "log of Vault's pod"],
  ])("leads to %s", async (_, status, body, says, next) => {
    const given = await impostor(status, body);
    for (const verb of ["status", "unseal"]) {
      const result = await homelab([verb], { VAULT_ADDR: given });
      expect([result.code, result.out]).toEqual([1, ""]);
      expect(result.err).toContain(says);
      expect(result.err).toContain(next);
      expectSilent(result);
    }
  });
});

describe("unseal", () => {
  const cut = (text: string): string => text.slice(0, text.length / 2);
  test.each<[string, { file: () => string | Buffer | undefined; env?: () => Record<string, string>; says: string; next?: string }]>([
    ["no file with the keys", { file: () => undefined, says: "is not there", next: "restore that file from where Vault was first booted" }],
    ["no age key", { file: () => putKeys(unsealKeys), env: () => ({ SOPS_AGE_KEY: "" }), says: "there is no age key", next: "SOPS_AGE_KEY_FILE" }],
    ["the wrong age key", { file: () => putKeys(unsealKeys), env: () => ({ SOPS_AGE_KEY: generateIdentity().secret }), says: "none of your age keys" }],
    [
      "a key file that is not there",
      { file: () => putKeys(unsealKeys), env: () => ({ SOPS_AGE_KEY: "", SOPS_AGE_KEY_FILE: "/nowhere/key" }), says: "/nowhere/key" },
    ],
    ["a file that is cut off", { file: () => cut(putKeys(unsealKeys)), says: "its end with the sops section is missing", next: "restore it" }],
    ["a MAC that does not match", { file: () => putKeys(unsealKeys).replace(/ {8}key2: .*\n/, ""), says: "its MAC does not match", next: "restore it" }],
    ["a key that stands twice", { file: () => `${putKeys(unsealKeys)}init: {}\n`, says: "a key stands in it twice" }],
    ["a binary file", { file: () => Buffer.from([0, 1, 2]), says: "it is binary", next: "restore it" }],
    ["a huge file", { file: () => "x".repeat(1024 * 1024 + 1), says: "larger than 1 MiB", next: "restore it" }],
    ["a file in plain", { file: () => `init:\n  root_token: ${rootToken}\n`, says: "it is not encrypted" }],
    [
      "a file of something else",
      { file: () => encryptSopsFile(treeAt("a", { key: "v" }), [me.recipient], new Date(0)), says: "does not hold a Vault's keys", next: "restore it" },
    ],
    [
      "keys of another Vault",
      {
        file: () => putKeys([1, 2, 3].map((n) => Buffer.alloc(33, n).toString("base64"))),
        says: "invalid key: failed to decrypt keys",
        next: "restore the right file",
      },
    ],
    ["too few of the keys", { file: () => putKeys(unsealKeys.slice(0, 2)), says: "do not unseal Vault", next: "restore the right file" }],
  ])("%s", async (_, { file, env, says, next }) => {
    const content = file();
    fs.mkdirSync(path.dirname(keysFile()), { recursive: true });
    if (content !== undefined) fs.writeFileSync(keysFile(), content);
    const before = fs.readdirSync(path.join(folder, "keys"));
    const result = await homelab(["unseal"], env?.() ?? {});
    expect([result.code, result.out]).toEqual([1, ""]);
    expect(result.err).toContain(says);
    if (next !== undefined) expect(result.err).toContain(next);
    // The message names the file, where a file is the problem.
    if (!says.includes("age key") && !says.includes("nowhere")) expect(result.err).toContain(keysFile());
    expectSilent(result);
    expect(await sealed()).toMatchObject({ sealed: true });
    expect(fs.readdirSync(path.join(folder, "keys"))).toEqual(before);
    if (content !== undefined) expect(fs.readFileSync(keysFile()).equals(Buffer.from(content))).toBe(true);
  });

  test("a Vault that was never initialised", async () => {
    const fresh = await startVault("fresh", await createContext());
    try {
      const result = await homelab(["unseal"], { VAULT_ADDR: `http://127.0.0.1:${fresh.port}` });
      expect([result.code, result.out]).toEqual([1, ""]);
      expect(result.err).toContain("was never initialised\n  next: `homelab up` initialises it, in the stack that has the module `vault`");
      expect(fresh.initialized).toBe(false);
    } finally {
      await fresh.stop();
    }
  });

  test("the right file opens it, and once more does nothing", async () => {
    putKeys(unsealKeys);
    expect(await execute("orchestrator/main.js", ["vault", "unseal"], {})).toEqual({ code: 0, out: `${address}: unsealed\n`, err: "" });
    expect(await homelab(["unseal"])).toEqual({ code: 0, out: `${address}: was unsealed already\n`, err: "" });
    expect(await sealed()).toMatchObject({ sealed: false });
  });
});

test.each<[string, string[], string, string]>([
  ["near another one", ["unsael"], 'there is no verb "unsael"', "did you mean unseal? All of them: status, unseal, root, revoke, orphans, delete"],
  ["near none", ["initialise"], 'there is no verb "initialise"', "take one of: status, unseal, root, revoke, orphans, delete"],
  ["left out", [], "a verb is needed", "take one of: status, unseal, root, revoke, orphans, delete"],
])("a verb that the command's process does not know, %s: it names them, and asks no Vault", async (_, args, says, next) => {
  const result = await execute("secrets/vault.main.js", args, { VAULT_ADDR: "http://127.0.0.1:1" });
  expect([result.code, result.out]).toEqual([1, ""]);
  expect(result.err).toContain(says);
  expect(result.err).toContain(`next: ${next}`);
});

describe("orphans and delete", () => {
  test("Vault is sealed", async () => {
    for (const verb of ["orphans", "delete"] as const) {
      const result = await entries(verb, ["a"]);
      expect([result.code, result.out]).toEqual([1, ""]);
      expect(result.err).toContain("refused to list kv/ (503): Vault is sealed\n  next: unseal it: `homelab vault unseal`");
      expectSilent(result);
    }
  });

  test("a token that Vault does not know, or no more", async () => {
    await open("a");
    const result = await entries("orphans", [], { VAULT_TOKEN: "hvs.of-yesterday" });
    expect([result.code, result.out]).toEqual([1, ""]);
    expect(result.err).toContain("refused to list kv/ (403)");
    expect(result.err).toContain(
      "next: the token may have expired, or its policies do not allow this; without VAULT_TOKEN, a root token is made for this call",
    );
    expect(result.err).not.toContain("of-yesterday");
  });

  test("permission is denied half-way: what was deleted, what is left; the rest stays", async () => {
    await open("a", "b", "c");
    const policy = 'path "kv/metadata/*" { capabilities = ["list", "read", "delete"] }\npath "kv/metadata/b" { capabilities = ["deny"] }';
    await api("PUT", "sys/policies/acl/half", { policy });
    const made = await api("POST", "auth/token/create", { policies: ["half"] });
    const { auth } = z.object({ auth: z.object({ client_token: z.string() }) }).parse(made.body);
    const result = await entries("delete", ["a", "b", "c"], { VAULT_TOKEN: auth.client_token });
    expect([result.code, result.out]).toEqual([1, ""]);
    expect(result.err).toContain("refused to delete kv/b (403)");
    expect(result.err).toContain("Deleted before: a; still there: b, c");
    expect(result.err).not.toContain(auth.client_token);
    const left = await Promise.all(["a", "b", "c"].map(async (at) => (await api("GET", `kv/data/${at}`)).status));
    expect(left).toEqual([404, 200, 200]);
  });

  test.each<[string, string[], string, string]>([
    ["is in Git", ["a", "in/git"], '"in/git" is in Git', "remove its file from Git first; nothing was deleted"],
    ["is not there", ["a", "b"], 'Vault has no entry "b" that is missing in Git', "nothing was deleted"],
    [
      "is a kubeconfig of the program's own",
      ["clusters/dev/kubeconfig"],
      'Vault has no entry "clusters/dev/kubeconfig" that is missing in Git',
      "nothing was deleted",
    ],
  ])("an entry to delete %s", async (_, names, says, next) => {
    await open("a", "in/git", "clusters/dev/kubeconfig");
    const result = await entries("delete", names);
    expect([result.code, result.out]).toEqual([1, ""]);
    expect(result.err).toContain(says);
    expect(result.err).toContain(next);
    for (const at of ["a", "in/git", "clusters/dev/kubeconfig"]) expect((await api("GET", `kv/data/${at}`)).status).toBe(200);
  });

  test.each<[string, () => void, Record<string, string>, string]>([
    ["no age key", () => undefined, { SOPS_AGE_KEY: "" }, "there is no age key"],
    ["a file that is not ours", () => putEntry("in/git", generateIdentity().recipient), {}, "secrets/common/in/git.yaml: none of your age keys"],
    ["a file that is cut off", () => fs.truncateSync(entryFile("in/git"), 300), {}, "secrets/common/in/git.yaml: "],
    ["no files at all", () => fs.rmSync(path.join(folder, "secrets"), { recursive: true }), {}, "there are no secrets in"],
  ])("%s: what Git has is unknown, so nothing counts as an orphan and nothing is deleted", async (_, damage, env, says) => {
    await open("a", "in/git");
    damage();
    for (const verb of ["orphans", "delete"] as const) {
      const result = await entries(verb, ["a"], env);
      expect([result.code, result.out]).toEqual([1, ""]);
      expect(result.err).toContain(says);
      expectSilent(result);
    }
    expect((await api("GET", "kv/data/a")).status).toBe(200);
  });
});

test.each([
  [[], "vault takes status, unseal, root, revoke, orphans or delete, not nothing"],
  [["frobnicate"], "vault takes status, unseal, root, revoke, orphans or delete, not frobnicate"],
  [["delete"], "vault delete takes <entry>…"],
  [["status", "extra"], "vault status takes no words"],
])("a command line that is wrong: vault %j", async (args, says) => {
  const result = await homelab(args);
  expect([result.code, result.out]).toEqual([2, ""]);
  expect(result.err).toContain(says);
});
