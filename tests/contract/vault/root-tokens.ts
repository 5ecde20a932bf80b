/** Root tokens: used for set-up and revoked, generated again from the unseal keys, with Vault's answers on the way. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { systemClock } from "../../../common/clock";
import { generateIdentity } from "../../../secrets/age";
import { createVaultApi, type VaultApi } from "../../../secrets/vault-api";
import { keysFile, readVaultKeys, storeVaultKeys } from "../../../secrets/vault-keys";
import { generateRoot, revokeToken, withRoot } from "../../../secrets/vault-root";
import { setUpVault } from "../../../secrets/vault-set-up";
import { errors } from "./questions";
import type { VaultUnderTest } from "./under-test";

const NAME = `root-tokens-${process.pid}`;
const NONCE = /^[0-9a-f-]{36}$/;

/** The tests run in order. @param unsealKeys of the Vault; empty if somebody else initialised it */
export function rootTokens(vault: () => VaultUnderTest, unsealKeys: () => readonly string[]): void {
  const identity = generateIdentity();
  let api: VaultApi;
  let folder: string;

  const open = (method: string, step: string, body?: unknown) => vault().call(method, `sys/generate-root/${step}`, body, "");
  const file = (): string => keysFile(folder, vault().given.address);
  const keysGiven = (): boolean => unsealKeys().length > 0;
  const args = () => ({ api, address: vault().given.address, folder, recipients: [identity.recipient], identities: () => [identity] });
  const setUp = (policy: string) => setUpVault({ ...args(), now: () => new Date(0), name: NAME, policy });
  const lookup = (token: string) => vault().call("GET", "auth/token/lookup-self", undefined, token);

  beforeAll(() => {
    api = createVaultApi(vault().given.address, systemClock);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-root-"));
  });
  afterAll(async () => {
    await vault().call("DELETE", `sys/policies/acl/${NAME}`);
    await vault().call("POST", "sys/auth/token/tune", { max_lease_ttl: "0" });
    await api.close();
    fs.rmSync(folder, { recursive: true });
  });

  test("asked for with a one-time password; each key counts once; a wrong one starts the count again; the last gives the token", async () => {
    if (!keysGiven()) return;
    const [first, second, third] = unsealKeys();
    expect(await open("GET", "attempt")).toMatchObject({ status: 200, body: { started: false, nonce: "", progress: 0, required: 3, otp: "", otp_length: 28 } });
    expect(await open("PUT", "update", { key: first, nonce: "x" })).toEqual({ status: 400, body: errors("no root generation in progress") });
    expect(await open("PUT", "update", { nonce: "x" })).toEqual({ status: 400, body: errors("'key' must be specified in request body as JSON") });
    expect(await open("PUT", "update", { key: "!", nonce: "x" })).toEqual({ status: 400, body: errors("'key' must be a valid hex or base64 string") });
    expect(await open("PUT", "attempt", { otp: "short" })).toEqual({ status: 400, body: errors("OTP string is wrong length") });
    const begun = await open("PUT", "attempt", {});
    expect(begun).toMatchObject({ status: 200, body: { started: true, nonce: expect.stringMatching(NONCE), otp: expect.stringMatching(/^[0-9A-Za-z]{28}$/) } });
    const nonce = String(begun.body["nonce"]);
    expect(await open("PUT", "attempt", {})).toEqual({ status: 400, body: errors("root generation already in progress") });
    // Vault returns the one-time password to the request that started the attempt, and never again.
    expect((await open("GET", "attempt")).body).toMatchObject({ started: true, nonce, otp: "" });
    expect(await open("PUT", "update", { key: first, nonce: "x" })).toEqual({ status: 400, body: errors(expect.stringContaining("incorrect nonce supplied")) });
    expect((await open("PUT", "update", { key: first, nonce })).body).toMatchObject({ progress: 1, complete: false, encoded_token: "" });
    expect(await open("PUT", "update", { key: first, nonce })).toEqual({
      status: 400,
      body: errors("given key has already been provided during this generation operation"),
    });
    expect((await open("PUT", "update", { key: second, nonce })).body).toMatchObject({ progress: 2 });
    const wrong = await open("PUT", "update", { key: Buffer.alloc(33, 7).toString("base64"), nonce });
    expect(wrong).toEqual({ status: 400, body: errors(expect.stringMatching(/^root generation aborted: unable to authenticate: .*invalid key/s)) });
    expect((await open("GET", "attempt")).body).toMatchObject({ started: true, progress: 0 });
    for (const key of [third, second]) await open("PUT", "update", { key, nonce });
    const done = await open("PUT", "update", { key: first, nonce });
    expect(done.body).toMatchObject({ complete: true, progress: 3, encoded_token: expect.stringMatching(/^[A-Za-z0-9+/]{38}$/) });
    expect((await open("GET", "attempt")).body).toMatchObject({ started: false });
    expect((await open("DELETE", "attempt")).status).toBe(204);
    const [mixed, otp] = [Buffer.from(String(done.body["encoded_token"]), "base64"), Buffer.from(String(begun.body["otp"]))];
    const token = Buffer.from(mixed.map((byte, at) => byte ^ (otp[at] as number))).toString();
    expect((await lookup(token)).body["data"]).toMatchObject({ policies: ["root"] });
    await revokeToken(api, token);
  });

  test("by our code: it may do everything, and is revoked after the work, also after one that fails; an attempt that was cut off is begun anew", async () => {
    if (!keysGiven()) return;
    storeVaultKeys(file(), { unsealKeys: unsealKeys() }, [identity.recipient], new Date(0));
    await open("PUT", "attempt", {});
    const seen: string[] = [];
    const policies = await withRoot(args(), async (token) => {
      seen.push(token);
      return (await lookup(token)).body["data"];
    });
    expect(policies).toMatchObject({ policies: ["root"], ttl: 0 });
    await expect(
      withRoot(args(), async (token) => {
        seen.push(token);
        throw new Error("in the middle");
      }),
    ).rejects.toThrow("in the middle");
    for (const token of seen) expect((await lookup(token)).status).toBe(403);
  });

  test("keys of another Vault, and too few, make none, and leave no attempt behind", async () => {
    if (!keysGiven()) return;
    const others = [1, 2, 3].map((n) => Buffer.alloc(33, n).toString("base64"));
    for (const keys of [others, unsealKeys().slice(0, 2)]) {
      await expect(generateRoot(api, vault().given.address, keys)).rejects.toMatchObject({ code: "E_VAULT_ROOT" });
      expect((await open("GET", "attempt")).body).toMatchObject({ started: false });
    }
  });

  test("set up by the root token of the first boot: that is revoked, and its file holds it no more; the token that is left has one policy and lives long", async () => {
    if (!keysGiven()) return;
    const rootToken = await generateRoot(api, vault().given.address, unsealKeys());
    storeVaultKeys(file(), { rootToken, unsealKeys: unsealKeys() }, [identity.recipient], new Date(0));
    const token = await setUp('path "auth/token/lookup-self" { capabilities = ["read"] }');
    expect((await lookup(rootToken)).status).toBe(403);
    expect(await readVaultKeys(file(), [identity])).toEqual({ unsealKeys: unsealKeys() });
    expect((await lookup(token)).body["data"]).toMatchObject({
      policies: [NAME],
      orphan: true,
      renewable: true,
      period: 315_360_000,
      creation_ttl: 315_360_000,
      display_name: `token-${NAME}`,
    });
  });

  test("set up again, with another policy: by a new root token; the token before it is revoked, and no root token is left", async () => {
    if (!keysGiven()) return;
    const first = await setUp('path "auth/token/lookup-self" { capabilities = ["read"] }');
    const second = await setUp('path "auth/token/lookup-self" { capabilities = ["read"] }\npath "sys/mounts" { capabilities = ["read"] }');
    expect([(await lookup(first)).status, (await lookup(second)).status]).toEqual([403, 200]);
    expect((await vault().call("GET", "sys/mounts", undefined, second)).status).toBe(200);
    // The only root token left is the suite's own.
    const { keys } = (await vault().call("GET", "auth/token/accessors?list=true")).body["data"] as unknown as { keys: string[] };
    const all = await Promise.all(keys.map(async (accessor) => (await vault().call("POST", "auth/token/lookup-accessor", { accessor })).body["data"]));
    expect(all.filter((found) => (found as unknown as { policies?: string[] } | undefined)?.policies?.includes("root"))).toHaveLength(1);
  });

  test("set up again after somebody has revoked the token (docs/runbooks.md): by the keys alone, and the new one may do what the policy says", async () => {
    if (!keysGiven()) return;
    const policy = 'path "auth/token/lookup-self" { capabilities = ["read"] }';
    const revoked = await setUp(policy);
    await vault().call("POST", "auth/token/revoke", { token: revoked });
    expect((await lookup(revoked)).status).toBe(403);
    const fresh = await setUp(policy);
    expect((await lookup(fresh)).body["data"]).toMatchObject({ policies: [NAME], period: 315_360_000 });
    expect(await readVaultKeys(file(), [identity])).toEqual({ unsealKeys: unsealKeys() });
  });

  test("after a run that was cut between the revocation and the write of the file, the next one removes the revoked token from it", async () => {
    if (!keysGiven()) return;
    const rootToken = await generateRoot(api, vault().given.address, unsealKeys());
    storeVaultKeys(file(), { rootToken, unsealKeys: unsealKeys() }, [identity.recipient], new Date(0));
    await revokeToken(api, rootToken);
    const token = await setUp("# nothing");
    expect(token).toMatch(/^hvs\./);
    expect(await readVaultKeys(file(), [identity])).toEqual({ unsealKeys: unsealKeys() });
    await vault().call("POST", "auth/token/revoke", { token });
  });
}
