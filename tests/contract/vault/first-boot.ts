/** From an uninitialised Vault to an unsealed one: by our own code and commands, with Vault's answers on the way. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../../common/clock";
import { KV_MOUNT } from "../../../common/vault-layout";
import { generateIdentity } from "../../../secrets/age";
import { createVaultApi, type VaultApi } from "../../../secrets/vault-api";
import { firstBoot, unsealVault } from "../../../secrets/vault-first-boot";
import { keysFile, storeVaultKeys } from "../../../secrets/vault-keys";
import { type CommandResult, runCommand, startCommand } from "../../support/run-command";
import type { VaultUnderTest } from "./under-test";

/** The tests run in order; the last one leaves the Vault unsealed, with its root token in `vault().root`. @param known gets the unseal keys */
export function firstBoots(vault: () => VaultUnderTest, known: (unsealKeys: readonly string[]) => void): void {
  const identity = generateIdentity();
  let api: VaultApi;
  let folder: string;
  let unsealKeys: readonly string[] = [];

  const boot = () => ({ api, address: vault().given.address, folder, identities: () => [identity], clock: systemClock });
  const firstBootArgs = () => ({ ...boot(), recipients: [identity.recipient], uninterrupted: <T>(work: () => Promise<T>) => work() });
  const isNew = (): boolean => vault().given.token === undefined;
  const open = (method: string, route: string, body?: unknown) => vault().call(method, route, body, "");
  /** `homelab vault …` as a person types it. */
  const homelab = (...args: string[]): Promise<CommandResult> => {
    const env = { PATH: process.env["PATH"], HOME: folder, VAULT_ADDR: vault().given.address, SOPS_AGE_KEY: identity.secret, HOMELAB_VAULT_KEYS_DIR: folder };
    return runCommand(startCommand("orchestrator/main.js", ["vault", ...args], { env }));
  };

  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-suite-"));
    api = createVaultApi(vault().given.address, systemClock);
  });
  afterAll(async () => {
    await api.close();
    fs.rmSync(folder, { recursive: true });
  });

  test("an uninitialised Vault says so, and does nothing else", async () => {
    if (!isNew()) return;
    expect(await open("GET", "sys/health")).toMatchObject({ status: 501, body: { initialized: false, sealed: true, standby: true } });
    expect((await open("GET", "sys/health?uninitcode=299")).status).toBe(299);
    expect((await open("HEAD", "sys/health")).status).toBe(501);
    expect((await open("GET", "sys/init")).body).toEqual({ initialized: false });
    expect(await open("GET", "sys/seal-status")).toMatchObject({
      status: 200,
      body: { type: "shamir", initialized: false, sealed: true, t: 0, n: 0, progress: 0, nonce: "" },
    });
    expect(await open("GET", "sys/leader")).toMatchObject({ status: 200, body: { ha_enabled: false } });
    expect(await vault().call("GET", "sys/mounts", undefined, "x")).toEqual({ status: 503, body: { errors: ["Vault is sealed"] } });
    expect(await open("PUT", "sys/unseal", { key: "00".repeat(33) })).toEqual({ status: 400, body: { errors: ["Vault is not initialized"] } });
    const status = await homelab("status");
    expect(status).toEqual({ code: 0, out: `${vault().given.address}: not initialised\n`, err: "" });
    expect(await homelab("unseal")).toMatchObject({
      code: 1,
      err: expect.stringContaining("was never initialised\n  next: `homelab up` initialises it, in the stack that has the module `vault`"),
    });
  });

  test.each<[object, string]>([
    [{}, "shares must be at least one"],
    [{ secret_shares: 3, secret_threshold: 0 }, "threshold must be at least one"],
    [{ secret_shares: 3, secret_threshold: 1 }, "threshold must be greater than one for multiple shares"],
    [{ secret_shares: 2, secret_threshold: 3 }, "threshold cannot be larger than shares"],
    [{ secret_shares: 256, secret_threshold: 3 }, "shares must be less than 256"],
  ])("an initialisation with %j is refused", async (body, why) => {
    if (!isNew()) return;
    expect(await open("PUT", "sys/init", body)).toEqual({ status: 400, body: { errors: [`invalid seal configuration: ${why}`] } });
    expect((await open("GET", "sys/init")).body).toEqual({ initialized: false });
  });

  test("the first boot initialises and unseals it once, with the keys on disk", async () => {
    if (!isNew()) {
      // Its owner has initialised it. All that can be tested is that its token works.
      vault().root = vault().given.token ?? "";
      expect(await api.accepts(vault().root)).toBe(true);
      return;
    }
    const keys = await firstBoot(firstBootArgs());
    vault().root = keys.rootToken ?? "";
    unsealKeys = keys.unsealKeys;
    known(unsealKeys);
    expect(fs.readdirSync(folder)).toEqual([path.basename(keysFile(folder, vault().given.address))]);
    expect(await firstBoot(firstBootArgs())).toEqual(keys);
    expect(await open("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })).toEqual({
      status: 400,
      body: { errors: ["Vault is already initialized"] },
    });
    expect(await open("GET", "sys/health")).toMatchObject({ status: 200, body: { initialized: true, sealed: false, standby: false } });
    expect((await open("GET", "sys/health?activecode=299")).status).toBe(299);
    expect(await homelab("status")).toEqual({ code: 0, out: `${vault().given.address}: unsealed\n`, err: "" });
    expect(await homelab("unseal")).toEqual({ code: 0, out: `${vault().given.address}: was unsealed already\n`, err: "" });
  });

  test("sealed, it tells its state and nothing else, and every part of ours says what to do", async () => {
    if (!isNew()) return;
    expect((await vault().call("PUT", "sys/seal")).status).toBe(204);
    expect(await open("GET", "sys/health")).toMatchObject({ status: 503, body: { initialized: true, sealed: true } });
    expect((await open("GET", "sys/health?sealedcode=299")).status).toBe(299);
    expect((await open("GET", "sys/seal-status")).body).toMatchObject({ initialized: true, sealed: true, t: 3, n: 5, progress: 0 });
    expect((await open("GET", "sys/leader")).status).toBe(200);
    for (const [method, route] of [
      ["GET", "kv/data/a"],
      ["GET", "auth/token/lookup-self"],
      ["POST", "auth/kubernetes/login"],
      ["GET", "no/such/path"],
    ] as const)
      expect([route, await vault().call(method, route, method === "POST" ? {} : undefined)]).toEqual([
        route,
        { status: 503, body: { errors: ["Vault is sealed"] } },
      ]);
    await expect(api.list(vault().root, "")).rejects.toMatchObject({
      message: expect.stringContaining("(503): Vault is sealed"),
      hint: "unseal it: `homelab vault unseal`",
    });
    expect(await homelab("status")).toEqual({ code: 0, out: `${vault().given.address}: sealed\n`, err: "" });
    const plugin = await vault().plugin();
    await expect(plugin.make("vault:index/policy:Policy", { name: "p", policy: "# none" })).rejects.toMatchObject({
      details: "Vault: PUT sys/policies/acl/p: 503: Vault is sealed\n  next: Vault is sealed or not initialised: unseal it",
    });
    await plugin.close();
  });

  test("unseal keys: hex or base64, each counted once; a wrong one is found out at the threshold, and the count starts again", async () => {
    if (!isNew()) return;
    const [first = "", second = "", third = ""] = unsealKeys;
    const unseal = (body: object) => open("PUT", "sys/unseal", body);
    expect(await unseal({})).toEqual({ status: 400, body: { errors: ["'key' must be specified in request body as JSON, or 'reset' set to true"] } });
    expect(await unseal({ key: "!" })).toEqual({ status: 400, body: { errors: ["'key' must be a valid hex or base64 string"] } });
    expect(await unseal({ key: "abcd" })).toEqual({ status: 400, body: { errors: ["invalid key: key is shorter than minimum 16 bytes"] } });
    expect((await open("GET", "sys/unseal")).status).toBe(405);
    expect((await unseal({ key: first })).body).toMatchObject({ sealed: true, progress: 1 });
    expect((await unseal({ key: Buffer.from(first, "base64").toString("hex") })).body).toMatchObject({ progress: 1 });
    expect((await unseal({ key: second })).body).toMatchObject({ progress: 2, nonce: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    const refused = await unseal({ key: Buffer.alloc(33, 7).toString("base64") });
    expect(refused).toEqual({ status: 400, body: { errors: [expect.stringContaining("invalid key")] } });
    expect((await open("GET", "sys/seal-status")).body).toMatchObject({ sealed: true, progress: 0 });
    expect((await unseal({ key: third })).body).toMatchObject({ progress: 1 });
    expect((await unseal({ reset: true })).body).toMatchObject({ sealed: true, progress: 0, nonce: "" });
  });

  test("`homelab vault unseal`: keys of another Vault and too few keys are told; the right ones open it, once", async () => {
    if (!isNew()) return;
    const file = keysFile(folder, vault().given.address);
    const right = fs.readFileSync(file);
    const store = (keys: readonly string[]): void => storeVaultKeys(file, { rootToken: "of-another", unsealKeys: keys }, [identity.recipient], new Date(0));
    store([1, 2, 3].map((n) => Buffer.alloc(33, n).toString("base64")));
    expect(await homelab("unseal")).toMatchObject({ code: 1, err: expect.stringContaining("do not unseal Vault") });
    store(unsealKeys.slice(0, 2));
    expect(await homelab("unseal")).toMatchObject({ code: 1, err: expect.stringContaining("do not unseal Vault") });
    fs.writeFileSync(file, right);
    expect(await homelab("unseal")).toEqual({ code: 0, out: `${vault().given.address}: unsealed\n`, err: "" });
    expect(await unsealVault(boot())).toEqual({ wasSealed: false });
    expect(await api.accepts(vault().root)).toBe(true);
  });

  test("an unknown token is not accepted; the homelab's mount does not exist yet", async () => {
    expect(await api.accepts(`${vault().root}x`)).toBe(false);
    if ((await vault().call("GET", `sys/mounts/${KV_MOUNT}`)).status === 200)
      throw new Error(`${vault().given.address} has a mount ${KV_MOUNT}: give a Vault of its own`);
  });
}
