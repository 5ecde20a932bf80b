/** The vault provider against the lab's Vault: what it makes, what it reads back, and what it refuses. */
import { createContext, type OwnedContext } from "../../../lab/core/context";
import { startVault, type VaultServer } from "../../../lab/vault";
import { Secret, UNKNOWN, type Values } from "../../../providers/sdk/values";
import { provider } from "../../../providers/vault/provider";
import { type State, TestProvider } from "../../support/test-provider";

const MOUNT = "vault:index/mount:Mount";
const SECRET = "vault:kv/secretV2:SecretV2";
const POLICY = "vault:index/policy:Policy";
const TOKEN = "vault:index/token:Token";
const BACKEND = "vault:index/authBackend:AuthBackend";
const CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig";
const ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole";
const AUDIT = "vault:index/audit:Audit";

type Api = (method: string, path: string, body?: unknown, token?: string) => Promise<{ status: number; body: Record<string, never> }>;

function apiOf(port: number): Api {
  return async (method, path, body, token) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      method,
      headers: token === undefined ? {} : { "x-vault-token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text) };
  };
}

describe("vault", () => {
  let ctx: OwnedContext;
  let server: VaultServer;
  let plugin: TestProvider;
  let api: Api;
  let root: string;

  beforeEach(async () => {
    ctx = await createContext();
    server = await startVault("tools/vault/vault", ctx);
    api = apiOf(server.port);
    const init = (await api("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })).body;
    root = String(init["root_token"]);
    await api("PUT", "sys/unseal", { key: init["keys"]?.[0] });
    plugin = await TestProvider.start(provider, { address: `http://127.0.0.1:${server.port}/`, token: new Secret(root), skipChildToken: "true" });
  });
  afterEach(async () => {
    await plugin.close();
    await server.stop();
    expect(ctx.unhandled.all()).toEqual([]);
  });

  /** The same inputs again are no change, after a refresh as well, and the refresh finds what the state says. */
  const expectStable = async (type: string, state: State, news: Values): Promise<void> => {
    const { inputs } = await plugin.check(type, news, state.inputs);
    expect((await plugin.diff(type, state, inputs)).detailed).toEqual({});
    const refreshed = await plugin.read(type, state);
    expect(refreshed).toEqual(state);
  };
  const writes = (): string[] =>
    ctx.records
      .since()
      .filter((record) => record.kind === "write")
      .map((record) => record.action);
  const kv = async (): Promise<State> => plugin.make(MOUNT, { path: "kv", type: "kv", options: { version: "2" }, description: "entries" });

  test("a mount", async () => {
    const state = await kv();
    expect(state.id).toBe("kv");
    expect(state.outputs).toMatchObject({ path: "kv", type: "kv", options: { version: "2" }, description: "entries", accessor: expect.stringMatching(/^kv_/) });
    await expectStable(MOUNT, state, { path: "kv", type: "kv", options: { version: "2" }, description: "entries" });
    expect(await plugin.diff(MOUNT, state, { path: "kv", type: "pki", description: "entries", options: { version: "2" } })).toMatchObject({
      replaces: ["type"],
    });
    const { inputs } = await plugin.check(MOUNT, { path: "kv", type: "kv", options: { version: "2" }, description: "others" }, state.inputs);
    expect((await plugin.update(MOUNT, state, inputs)).outputs["description"]).toBe("others");
    await plugin.delete(MOUNT, state);
    await plugin.delete(MOUNT, state);
    expect(await plugin.read(MOUNT, state)).toBeUndefined();
  });

  test("kv-v2 stays what it was called", async () => {
    const news = { path: "kv2", type: "kv-v2" };
    const state = await plugin.make(MOUNT, news);
    expect(state.outputs).toMatchObject({ type: "kv-v2", options: {} });
    await expectStable(MOUNT, state, news);
  });

  test("an entry of KV 2", async () => {
    await kv();
    const news = { mount: "kv", name: "apps/dev", dataJson: new Secret('{"b":"<2>","a":1}'), deleteAllVersions: true };
    const state = await plugin.make(SECRET, news);
    expect(state.id).toBe("kv/data/apps/dev");
    expect(state.outputs).toMatchObject({
      path: "kv/data/apps/dev",
      dataJson: new Secret('{"a":1,"b":"\\u003c2\\u003e"}'),
      data: new Secret({}),
      metadata: { version: "1", destroyed: "false", custom_metadata: "null" },
      customMetadata: { casRequired: false, maxVersions: 0, data: {} },
    });
    expect((await api("GET", "kv/data/apps/dev", undefined, root)).body).toMatchObject({ data: { data: { a: 1, b: "<2>" } } });
    await expectStable(SECRET, state, news);
  });

  test("the same JSON in another order is no change; another value is an update with the next version", async () => {
    await kv();
    const state = await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: '{"x":1,"y":2}' });
    expect((await plugin.diff(SECRET, state, { ...state.inputs, dataJson: '{ "y": 2, "x": 1 }' })).changes).toBe("none");
    const next = { ...state.inputs, dataJson: '{"x":9,"y":2}' };
    expect(await plugin.diff(SECRET, state, next)).toMatchObject({ replaces: [], detailed: { dataJson: 4 } });
    expect((await plugin.update(SECRET, state, next, { preview: true })).outputs["metadata"]).toBe(UNKNOWN);
    expect((await plugin.update(SECRET, state, next)).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("what was changed by hand shows after a refresh; what was deleted is gone", async () => {
    await kv();
    const state = await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: '{"x":1}' });
    await api("PUT", "kv/data/a", { data: { x: 2 } }, root);
    const refreshed = await plugin.read(SECRET, state);
    expect(refreshed?.inputs["dataJson"]).toEqual(new Secret('{"x":2}'));
    await api("DELETE", "kv/data/a", undefined, root);
    expect(await plugin.read(SECRET, state)).toBeUndefined();
  });

  test("check-and-set: a version that is not the current one is refused", async () => {
    await kv();
    const state = await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: '{"x":1}', cas: 0 });
    await expect(plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}' })).rejects.toMatchObject({
      details: expect.stringContaining("because: Vault: PUT kv/data/a: 400: check-and-set parameter did not match the current version"),
    });
    await plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}', cas: 1 });
  });

  test("of two writers at once the second is told, and the first one's value stays", async () => {
    await kv();
    const state = await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: '{"x":1}' });
    await api("PUT", "kv/data/a", { data: { x: 2 } }, root);
    await expect(plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":3}' })).rejects.toMatchObject({
      details: expect.stringContaining("Vault: kv/data/a was written by somebody else; it was left as it is"),
    });
    expect((await api("GET", "kv/data/a", undefined, root)).body["data"]).toMatchObject({ data: { x: 2 }, metadata: { version: 2 } });
    const refreshed = await plugin.read(SECRET, state);
    await plugin.update(SECRET, { ...state, outputs: refreshed?.outputs ?? {} }, { ...state.inputs, dataJson: '{"x":3}' });
    expect((await api("GET", "kv/data/a", undefined, root)).body["data"]).toMatchObject({ data: { x: 3 } });
  });

  test("an entry that was there before, also a deleted one, is taken over at its version", async () => {
    await kv();
    await api("PUT", "kv/data/a", { data: { x: 1 } }, root);
    await api("DELETE", "kv/data/a", undefined, root);
    expect((await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: '{"x":2}' })).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("custom metadata", async () => {
    await kv();
    const news = { mount: "kv", name: "a", dataJson: "{}", customMetadata: { maxVersions: 5, data: { owner: "me" } } };
    const state = await plugin.make(SECRET, news);
    expect(state.outputs["customMetadata"]).toMatchObject({ maxVersions: 5, data: { owner: "me" }, casRequired: false });
    await expectStable(SECRET, state, news);
  });

  test("an entry's name and mount replace it; a chosen name deletes first, a generated one does not", async () => {
    await kv();
    const state = await plugin.make(SECRET, { mount: "kv", name: "a", dataJson: "{}" });
    expect(await plugin.diff(SECRET, state, { ...state.inputs, name: "b" })).toMatchObject({ replaces: ["name"], deleteBeforeReplace: false });
    expect(await plugin.diff(SECRET, state, { ...state.inputs, mount: "kv2" })).toMatchObject({ replaces: ["mount"], deleteBeforeReplace: true });
    const generated = await plugin.make(SECRET, { mount: "kv", dataJson: "{}" });
    expect(generated.outputs["name"]).toMatch(/^it-[0-9a-f]{7}$/);
    const again = await plugin.check(SECRET, { mount: "kv", dataJson: "{}" }, generated.inputs);
    expect(again.inputs["name"]).toBe(generated.outputs["name"]);
    expect(await plugin.diff(SECRET, generated, { ...generated.inputs, mount: "kv2" })).toMatchObject({ deleteBeforeReplace: false });
  });

  test("delete takes the latest version, or all of them", async () => {
    await kv();
    await plugin.delete(SECRET, await plugin.make(SECRET, { mount: "kv", name: "one", dataJson: '{"x":1}' }));
    expect((await api("GET", "kv/metadata/one", undefined, root)).status).toBe(200);
    await plugin.delete(SECRET, await plugin.make(SECRET, { mount: "kv", name: "all", dataJson: '{"x":1}', deleteAllVersions: true }));
    expect((await api("GET", "kv/metadata/all", undefined, root)).status).toBe(404);
  });

  test("dataJson that is no object is a check failure that shows none of it", async () => {
    expect((await plugin.check(SECRET, { mount: "kv", dataJson: "oops, a password" })).failures).toEqual(["dataJson: must be a JSON object"]);
    expect((await plugin.check(SECRET, { mount: UNKNOWN, dataJson: UNKNOWN })).failures).toEqual([]);
  });

  test("a policy, and a token that has it", async () => {
    const policyText = 'path "kv/data/*" { capabilities = ["read"] }';
    const policy = await plugin.make(POLICY, { name: "readers", policy: policyText });
    expect(policy.id).toBe("readers");
    await expectStable(POLICY, policy, { name: "readers", policy: policyText });
    const news = { policies: ["readers"], displayName: "program", noParent: true, renewable: true, period: "768h", renewMinLease: 60, renewIncrement: 3600 };
    const token = await plugin.make(TOKEN, news);
    expect(token.outputs).toMatchObject({
      policies: ["readers"],
      displayName: "program",
      noParent: true,
      renewable: true,
      leaseDuration: 2_764_800,
      clientToken: expect.any(Secret),
      period: "768h",
    });
    expect(token.id).not.toBe("");
    await expectStable(TOKEN, token, news);
    expect(await plugin.diff(TOKEN, token, { ...token.inputs, period: "24h" })).toMatchObject({ replaces: ["period"] });
    await plugin.delete(TOKEN, token);
    await plugin.delete(TOKEN, token);
    expect(await plugin.read(TOKEN, token)).toBeUndefined();
    await plugin.delete(POLICY, policy);
    expect((await api("GET", "sys/policies/acl/readers", undefined, root)).status).toBe(404);
  });

  test("a token that ends soon is renewed when it is read", async () => {
    const token = await plugin.make(TOKEN, { ttl: "1h", renewMinLease: 7200, renewIncrement: 3600 });
    expect(token.outputs["leaseDuration"]).toBe(3600);
    const read = await plugin.read(TOKEN, token);
    expect(read?.outputs["clientToken"]).toEqual(token.outputs["clientToken"]);
  });

  test("the Kubernetes way in: method, configuration, role", async () => {
    const backendNews = { type: "kubernetes", path: "kubernetes-dev", description: "Service accounts of dev" };
    const backend = await plugin.make(BACKEND, backendNews);
    expect(backend.id).toBe("kubernetes-dev");
    expect(backend.outputs).toMatchObject({ accessor: expect.stringMatching(/^kubernetes_/), path: "kubernetes-dev" });
    // What was not asked for is what Vault made of it, in the official provider's writing.
    expect(backend.outputs["tune"]).toMatchObject({ defaultLeaseTtl: "768h", maxLeaseTtl: "768h" });
    await expectStable(BACKEND, backend, backendNews);
    const configNews = {
      backend: "kubernetes-dev",
      kubernetesHost: "https://192.168.1.15:6443",
      kubernetesCaCert: "PEM",
      tokenReviewerJwt: "jwt-of-the-reviewer",
      disableLocalCaJwt: true,
    };
    const config = await plugin.make(CONFIG, configNews);
    expect(config.id).toBe("auth/kubernetes-dev/config");
    expect(config.outputs).toMatchObject({ backend: "kubernetes-dev", disableLocalCaJwt: true, tokenReviewerJwt: new Secret("jwt-of-the-reviewer") });
    await expectStable(CONFIG, config, configNews);
    const roleNews = {
      backend: "kubernetes-dev",
      roleName: "apps",
      boundServiceAccountNames: ["eso"],
      boundServiceAccountNamespaces: ["apps"],
      tokenPolicies: ["p1", "p2"],
      tokenTtl: 3600,
    };
    const role = await plugin.make(ROLE, roleNews);
    expect(role.id).toBe("auth/kubernetes-dev/role/apps");
    await expectStable(ROLE, role, { ...roleNews, tokenPolicies: ["p2", "p1"] });
    const { inputs } = await plugin.check(ROLE, { ...roleNews, tokenTtl: 60 }, role.inputs);
    expect(await plugin.diff(ROLE, role, inputs)).toMatchObject({ replaces: [], detailed: { tokenTtl: 4 } });
    expect((await plugin.update(ROLE, role, inputs)).outputs["tokenTtl"]).toBe(60);
    await plugin.delete(ROLE, role);
    await plugin.delete(CONFIG, config);
    await plugin.delete(BACKEND, backend);
    expect(writes().slice(-2)).toEqual(["auth-role kubernetes-dev/apps", "disable-auth kubernetes-dev/"]);
  });

  test("an audit device; every change replaces it", async () => {
    const news = { type: "file", options: { file_path: "stdout" } };
    const state = await plugin.make(AUDIT, news);
    expect(state).toMatchObject({ id: "file", outputs: { path: "file", options: { file_path: "stdout" } } });
    await expectStable(AUDIT, state, news);
    expect(await plugin.diff(AUDIT, state, { ...state.inputs, options: { file_path: "/x" } })).toMatchObject({ replaces: ["options"] });
    await plugin.delete(AUDIT, state);
    expect(await plugin.read(AUDIT, state)).toBeUndefined();
  });

  test("no permission is told in Vault's words, without the token", async () => {
    const other = await TestProvider.start(provider, { address: `http://127.0.0.1:${server.port}`, token: new Secret("hvs.not-a-token-at-all") });
    const thrown = await other.make(POLICY, { name: "p", policy: "" }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ details: expect.stringMatching(/^Vault: PUT sys\/policies\/acl\/p: 403: (1 error occurred:\s+\* )?permission denied/) });
    expect(String(thrown)).not.toContain("not-a-token");
    await other.close();
  });

  test("a sealed Vault is told at once, with the next step", async () => {
    await api("PUT", "sys/seal", {}, root);
    await expect(plugin.make(POLICY, { name: "p", policy: "" })).rejects.toMatchObject({
      details: "Vault: PUT sys/policies/acl/p: 503: Vault is sealed\n  next: Vault is sealed or not initialised: unseal it",
    });
  });
});
