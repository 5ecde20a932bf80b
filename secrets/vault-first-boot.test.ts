import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { Clock } from "../common/clock";
import { HomelabError } from "../common/errors";
import type { HttpClient } from "../common/http";
import { generateIdentity } from "./age";
import { createVaultApi } from "./vault-api";
import { firstBoot } from "./vault-first-boot";
import { readVaultKeys } from "./vault-keys";

const ADDRESS = "https://vault.example";
const identity = generateIdentity();
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A clock on which waiting takes no time. */
function fakeClock(): Clock & { slept: number } {
  const clock = {
    slept: 0,
    now: () => 1_700_000_000_000 + clock.slept,
    sleep: async (ms: number) => {
      clock.slept += ms;
    },
  };
  return clock;
}

/** Stands for a kill: thrown in the middle of a run, and nothing of that run goes on. */
class Killed extends Error {}

/** A Vault as far as a first boot sees it, which lives longer than the runs. */
class FakeVault {
  generation = 0;
  keys: string[] = [];
  root = "";
  sealed = true;
  given = new Set<string>();
  calls: string[] = [];
  /** How many requests are first answered with a proxy's page. */
  unreachable = 0;
  /** Kills the run at this call (from 1): before Vault executes it, or after. */
  kill: { at: number; when: "before" | "after" } | undefined;

  private status = () => ({
    initialized: this.keys.length > 0,
    sealed: this.sealed,
    t: 3,
    n: 5,
    progress: this.given.size,
    cluster_id: `id-${this.generation}`,
  });

  private answer(call: string, body: Record<string, unknown>): [number, unknown] {
    if (call === "GET sys/seal-status") return [200, this.status()];
    if (call === "GET sys/health?standbyok=true") return this.sealed ? [503, {}] : [200, {}];
    if (call === "PUT sys/init") {
      if (this.keys.length > 0) return [400, { errors: ["Vault is already initialized"] }];
      this.generation++;
      this.keys = [1, 2, 3, 4, 5].map((n) => Buffer.from(`key ${this.generation}.${n}`).toString("base64"));
      this.root = `hvs.root${this.generation}`;
      return [200, { keys_base64: this.keys, root_token: this.root }];
    }
    if (call === "PUT sys/unseal") {
      if (this.keys.includes(String(body["key"]))) this.given.add(String(body["key"]));
      if (this.given.size >= 3) this.sealed = false;
      return [200, this.status()];
    }
    throw new Error(`unexpected ${call}`);
  }

  client(): HttpClient {
    return {
      request: async ({ method, url, body }) => {
        const call = `${method} ${url.slice(`${ADDRESS}/v1/`.length)}`;
        this.calls.push(call);
        if (this.unreachable-- > 0) return { status: 404, headers: {}, body: "404 page not found" };
        if (this.kill?.at === this.calls.length && this.kill.when === "before") throw new Killed();
        const [status, answer] = this.answer(call, body === undefined ? {} : JSON.parse(String(body)));
        if (this.kill?.at === this.calls.length) throw new Killed();
        return { status, headers: {}, body: JSON.stringify(answer) };
      },
      stream: () => Promise.reject(new Error("not used")),
      close: async () => undefined,
    };
  }
}

function boot(vault: FakeVault, clock = fakeClock()) {
  return firstBoot({
    api: createVaultApi(ADDRESS, clock, vault.client()),
    address: ADDRESS,
    folder,
    recipients: [identity.recipient],
    identities: () => [identity],
    clock,
    uninterrupted: (work) => work(),
  });
}

const FILE = "vault.example.yaml";

test("a new Vault is initialised, its keys stored encrypted and private, and unsealed", async () => {
  const vault = new FakeVault();
  const keys = await boot(vault);
  expect(keys).toEqual({ rootToken: "hvs.root1", unsealKeys: vault.keys });
  expect(vault.sealed).toBe(false);
  expect(fs.readdirSync(folder)).toEqual([FILE]);
  expect(fs.statSync(path.join(folder, FILE)).mode & 0o777).toBe(0o600);
  const text = fs.readFileSync(path.join(folder, FILE), "utf8");
  expect([keys.rootToken ?? "none", ...keys.unsealKeys].filter((secret) => text.includes(secret))).toEqual([]);
  expect(await readVaultKeys(path.join(folder, FILE), [identity])).toEqual(keys);
});

test("the keys are stored before the first unseal key is used", async () => {
  const vault = new FakeVault();
  vault.kill = { at: 5, when: "before" };
  await expect(boot(vault)).rejects.toThrow(Killed);
  expect(vault.calls).toEqual(["GET sys/seal-status", "GET sys/seal-status", "PUT sys/init", "GET sys/seal-status", "PUT sys/unseal"]);
  expect(await readVaultKeys(path.join(folder, FILE), [identity])).toEqual({ rootToken: "hvs.root1", unsealKeys: vault.keys });
});

test("a second run changes nothing and gives the same token", async () => {
  const vault = new FakeVault();
  const keys = await boot(vault);
  vault.calls = [];
  expect(await boot(vault)).toEqual(keys);
  expect(vault.calls.slice(1)).toEqual(["GET sys/seal-status", "GET sys/seal-status", "GET sys/health?standbyok=true"]);
});

test("a Vault that was restarted is unsealed again", async () => {
  const vault = new FakeVault();
  await boot(vault);
  vault.sealed = true;
  vault.given.clear();
  await boot(vault);
  expect([vault.sealed, vault.generation]).toEqual([false, 1]);
});

// A whole boot is 8 calls; only a kill after Vault made the keys and before anything of ours ran can lose them.
const KILLS = [1, 2, 3, 4, 5, 6, 7, 8]
  .flatMap((at) => (["before", "after"] as const).map((when) => ({ at, when })))
  .filter((k) => !(k.at === 3 && k.when === "after"));

test.each(KILLS)("the next run completes one that is killed $when call $at", async (kill) => {
  const vault = new FakeVault();
  vault.kill = kill;
  await expect(boot(vault)).rejects.toThrow(Killed);
  vault.kill = undefined;
  const keys = await boot(vault);
  expect(keys).toEqual({ rootToken: "hvs.root1", unsealKeys: vault.keys });
  expect([vault.sealed, vault.generation, fs.readdirSync(folder)]).toEqual([false, 1, [FILE]]);
});

test("keys that Vault made and that were lost on the way are reported with what to do", async () => {
  const vault = new FakeVault();
  vault.kill = { at: 3, when: "after" };
  await expect(boot(vault)).rejects.toThrow(Killed);
  vault.kill = undefined;
  await expect(boot(vault)).rejects.toMatchObject({
    code: "E_VAULT_KEYS_LOST",
    message: expect.stringContaining("was cut before it could store the keys; it holds nothing yet"),
  });
});

test("a Vault that somebody else initialised is left alone", async () => {
  const vault = new FakeVault();
  vault.keys = ["a2V5"];
  await expect(boot(vault)).rejects.toMatchObject({ code: "E_VAULT_KEYS_LOST", hint: "restore that file from where Vault was first booted" });
  expect(vault.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
});

test("the keys of a Vault that was rebuilt are put aside, never overwritten", async () => {
  const first = await boot(new FakeVault());
  const rebuilt = new FakeVault();
  rebuilt.generation = 1;
  const second = await boot(rebuilt);
  expect(second.rootToken).toBe("hvs.root2");
  const files = fs.readdirSync(folder).toSorted();
  expect(files).toEqual([expect.stringMatching(/^vault\.example\.replaced-2023-11-14T22-13-20-000Z-[0-9a-f]{4}\.yaml$/), FILE]);
  expect(await readVaultKeys(path.join(folder, files[0] ?? ""), [identity])).toEqual(first);
});

test("keys of another Vault do not unseal, and the error names their file", async () => {
  await boot(new FakeVault());
  const other = new FakeVault();
  other.keys = ["b3RoZXI="];
  await expect(boot(other)).rejects.toMatchObject({ code: "E_VAULT_UNSEAL", subject: path.join(folder, FILE) });
});

test("a folder that cannot be written stops before Vault is touched", async () => {
  const vault = new FakeVault();
  fs.writeFileSync(path.join(folder, "file"), "");
  const blocked = firstBoot({
    api: createVaultApi(ADDRESS, fakeClock(), vault.client()),
    address: ADDRESS,
    folder: path.join(folder, "file", "keys"),
    recipients: [identity.recipient],
    identities: () => [identity],
    clock: fakeClock(),
    uninterrupted: (work) => work(),
  });
  await expect(blocked).rejects.toMatchObject({ code: "E_VAULT_KEYS_DIR" });
  expect(vault.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
});

test("an invalid recipient stops before Vault is touched", async () => {
  const vault = new FakeVault();
  const api = createVaultApi(ADDRESS, fakeClock(), vault.client());
  const run = firstBoot({
    api,
    address: ADDRESS,
    folder,
    recipients: ["age1nonsense"],
    identities: () => [identity],
    clock: fakeClock(),
    uninterrupted: (work) => work(),
  });
  await expect(run).rejects.toMatchObject({ code: "E_AGE_RECIPIENT" });
  expect(vault.calls.filter((call) => !call.startsWith("GET"))).toEqual([]);
});

test("of two first boots at once one boots and the other fails with an error; the keys stay where they are", async () => {
  const vault = new FakeVault();
  const results = await Promise.allSettled([boot(vault), boot(vault)]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "E_SECRETS_LOCKED" } });
  expect([vault.generation, fs.readdirSync(folder)]).toEqual([1, [FILE]]);
  expect(await boot(vault)).toEqual({ rootToken: "hvs.root1", unsealKeys: vault.keys });
});

test("if somebody else initialises Vault at the same moment, the error says so, and not that keys were lost", async () => {
  const vault = new FakeVault();
  const api = createVaultApi(ADDRESS, fakeClock(), vault.client());
  const elsewhere: typeof api = {
    ...api,
    async initialise() {
      vault.keys = ["a2V5"];
      return api.initialise();
    },
  };
  const args = { api: elsewhere, address: ADDRESS, folder, recipients: [identity.recipient], identities: () => [identity], clock: fakeClock() };
  await expect(firstBoot({ ...args, uninterrupted: (work) => work() })).rejects.toMatchObject({
    code: "E_VAULT_BOOTED_ELSEWHERE",
    hint: expect.stringContaining("this run made none"),
  });
  expect(fs.readdirSync(folder)).toEqual([]);
  await expect(boot(vault)).rejects.toMatchObject({ hint: "restore that file from where Vault was first booted" });
});

test("it waits for a Vault that is not there yet, and gives up after ten minutes", async () => {
  const vault = new FakeVault();
  vault.unreachable = 5;
  const clock = fakeClock();
  await boot(vault, clock);
  expect(clock.slept).toBe(5000);
  const never = new FakeVault();
  never.unreachable = Number.POSITIVE_INFINITY;
  const patience = fakeClock();
  await expect(boot(never, patience)).rejects.toThrow(new HomelabError("E_VAULT", `Vault at ${ADDRESS} refused to answer (404)`));
  expect(patience.slept).toBe(600_000);
});

test("the command prints the id of this Vault as its only output, and no token", async () => {
  const vault = new FakeVault();
  const client = vault.client();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const token = request.headers["x-vault-token"];
      const body = Buffer.concat(chunks).toString();
      client
        .request({
          method: request.method ?? "",
          url: `${ADDRESS}${request.url}`,
          ...(body === "" ? {} : { body }),
          ...(typeof token === "string" ? { headers: { "x-vault-token": token } } : {}),
        })
        .then(
          (answer) => response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body),
          (error: Error) => response.writeHead(500).end(error.message),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const env = { PATH: process.env["PATH"], VAULT_ADDR: `http://127.0.0.1:${port}`, HOMELAB_VAULT_KEYS_DIR: folder };
    const root = path.join(__dirname, "..");
    const result = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
      execFile(process.execPath, [path.join(root, "bin/secrets/vault-first-boot.main.js")], { cwd: root, env }, (error, stdout, stderr) =>
        error ? reject(error) : resolve({ stdout, stderr }),
      );
    });
    expect(result).toEqual({ stdout: '{"id":"id-1"}\n', stderr: "" });
    expect(fs.readdirSync(folder)).toEqual([`127.0.0.1-${port}.yaml`]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
