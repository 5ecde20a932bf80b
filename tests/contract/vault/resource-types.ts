/** The vault provider: what each type makes, what it reads back, and what it refuses. */
import { z } from "zod";
import { createAuthority } from "../../../lab/core/tls";
import { Secret, UNKNOWN, type Values } from "../../../providers/sdk/values";
import type { State, TestProvider } from "../../support/test-provider";
import { serviceAccountToken } from "./service-account";
import { AUDIT, BACKEND, CONFIG, expectStable, MOUNT, POLICY, ROLE, SECRET, TOKEN, type VaultUnderTest } from "./under-test";

// Names that nobody else has.
const KV = `kv-of-${process.pid}`;
const READERS = `readers-of-${process.pid}`;
const METHOD = `kubernetes-of-${process.pid}`;
const DEVICE = `audit-of-${process.pid}`;

export function resourceTypes(vault: () => VaultUnderTest): void {
  let plugin: TestProvider;
  let made: [string, State][];

  beforeEach(async () => {
    made = [];
    plugin = await vault().plugin();
  });
  afterEach(async () => {
    for (const [type, state] of made.toReversed()) await plugin.delete(type, state);
    await plugin.close();
  });

  const call = (method: string, route: string, body?: unknown) => vault().call(method, route, body);
  async function make(type: string, news: Values): Promise<State> {
    const state = await plugin.make(type, news);
    made.push([type, state]);
    return state;
  }
  const kv = (): Promise<State> => make(MOUNT, { path: KV, type: "kv", options: { version: "2" }, description: "entries" });

  test("a mount", async () => {
    const state = await kv();
    expect(state.id).toBe(KV);
    expect(state.outputs).toMatchObject({ path: KV, type: "kv", options: { version: "2" }, description: "entries", accessor: expect.stringMatching(/^kv_/) });
    await expectStable(plugin, MOUNT, state, { path: KV, type: "kv", options: { version: "2" }, description: "entries" });
    expect(await plugin.diff(MOUNT, state, { path: KV, type: "pki", description: "entries", options: { version: "2" } })).toMatchObject({
      replaces: ["type"],
    });
    const { inputs } = await plugin.check(MOUNT, { path: KV, type: "kv", options: { version: "2" }, description: "others" }, state.inputs);
    expect((await plugin.update(MOUNT, state, inputs)).outputs["description"]).toBe("others");
    await plugin.delete(MOUNT, state);
    await plugin.delete(MOUNT, state);
    expect(await plugin.read(MOUNT, state)).toBeUndefined();
  });

  test("a mount moves with its entries, and its settings change on the way", async () => {
    const state = await kv();
    await call("PUT", `${KV}/data/a`, { data: { x: 1 } });
    const news = { path: `${KV}-moved`, type: "kv", options: { version: "2" }, maxLeaseTtlSeconds: 7200, listingVisibility: "unauth" };
    const { inputs } = await plugin.check(MOUNT, news, state.inputs);
    expect(await plugin.diff(MOUNT, state, inputs)).toMatchObject({ replaces: [] });
    const { outputs } = await plugin.update(MOUNT, state, inputs);
    expect(outputs).toMatchObject({ path: news.path, description: "", maxLeaseTtlSeconds: 7200, listingVisibility: "unauth" });
    const moved = { id: state.id, inputs, outputs };
    made.push([MOUNT, moved]);
    expect((await call("GET", `${KV}-moved/data/a`)).body["data"]).toMatchObject({ data: { x: 1 } });
    expect((await call("GET", `sys/mounts/${KV}`)).status).toBe(400);
    // What is taken away again becomes what it was.
    const less = await plugin.check(MOUNT, { path: news.path, type: "kv", options: { version: "2" } }, inputs);
    const after = await plugin.update(MOUNT, moved, less.inputs);
    expect(after.outputs).not.toHaveProperty("listingVisibility", "unauth");
  });

  test("kv-v2 stays what it was called", async () => {
    const news = { path: `${KV}2`, type: "kv-v2" };
    const state = await make(MOUNT, news);
    expect(state.outputs).toMatchObject({ type: "kv-v2", options: {} });
    await expectStable(plugin, MOUNT, state, news);
  });

  test("an entry of KV 2", async () => {
    await kv();
    const news = { mount: KV, name: "apps/dev", dataJson: new Secret('{"b":"<2>","a":1}'), deleteAllVersions: true };
    const state = await make(SECRET, news);
    expect(state.id).toBe(`${KV}/data/apps/dev`);
    expect(state.outputs).toMatchObject({
      path: `${KV}/data/apps/dev`,
      dataJson: new Secret('{"a":1,"b":"\\u003c2\\u003e"}'),
      data: new Secret({}),
      metadata: { version: "1", destroyed: "false", custom_metadata: "null" },
      customMetadata: { casRequired: false, maxVersions: 0, data: {} },
    });
    expect((await call("GET", `${KV}/data/apps/dev`)).body).toMatchObject({ data: { data: { a: 1, b: "<2>" } } });
    await expectStable(plugin, SECRET, state, news);
  });

  test("the same JSON in another order is no change; another value is an update with the next version", async () => {
    await kv();
    const state = await make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1,"y":2}' });
    expect((await plugin.diff(SECRET, state, { ...state.inputs, dataJson: '{ "y": 2, "x": 1 }' })).changes).toBe("none");
    const next = { ...state.inputs, dataJson: '{"x":9,"y":2}' };
    expect(await plugin.diff(SECRET, state, next)).toMatchObject({ replaces: [], detailed: { dataJson: 4 } });
    expect((await plugin.update(SECRET, state, next, { preview: true })).outputs["metadata"]).toBe(UNKNOWN);
    expect((await plugin.update(SECRET, state, next)).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("what was changed by hand shows after a refresh; what was deleted is gone", async () => {
    await kv();
    const state = await make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}' });
    await call("PUT", `${KV}/data/a`, { data: { x: 2 } });
    const refreshed = await plugin.read(SECRET, state);
    expect(refreshed?.inputs["dataJson"]).toEqual(new Secret('{"x":2}'));
    await call("DELETE", `${KV}/data/a`);
    expect(await plugin.read(SECRET, state)).toBeUndefined();
  });

  test("check-and-set: a version that is not the current one is refused", async () => {
    await kv();
    const state = await make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}', cas: 0 });
    await expect(plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}' })).rejects.toMatchObject({
      details: expect.stringContaining(`because: Vault: PUT ${KV}/data/a: 400: check-and-set parameter did not match the current version`),
    });
    await plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":2}', cas: 1 });
  });

  test("of two writers at once the second is told, and the first one's value stays", async () => {
    await kv();
    const state = await make(SECRET, { mount: KV, name: "a", dataJson: '{"x":1}' });
    await call("PUT", `${KV}/data/a`, { data: { x: 2 } });
    await expect(plugin.update(SECRET, state, { ...state.inputs, dataJson: '{"x":3}' })).rejects.toMatchObject({
      details: expect.stringContaining(`Vault: ${KV}/data/a was written by somebody else; it was left as it is`),
    });
    expect((await call("GET", `${KV}/data/a`)).body["data"]).toMatchObject({ data: { x: 2 }, metadata: { version: 2 } });
    const refreshed = await plugin.read(SECRET, state);
    await plugin.update(SECRET, { ...state, outputs: refreshed?.outputs ?? {} }, { ...state.inputs, dataJson: '{"x":3}' });
    expect((await call("GET", `${KV}/data/a`)).body["data"]).toMatchObject({ data: { x: 3 } });
  });

  test("an entry that was there before, also a deleted one, is taken over at its version", async () => {
    await kv();
    await call("PUT", `${KV}/data/a`, { data: { x: 1 } });
    await call("DELETE", `${KV}/data/a`);
    expect((await make(SECRET, { mount: KV, name: "a", dataJson: '{"x":2}' })).outputs["metadata"]).toMatchObject({ version: "2" });
  });

  test("custom metadata", async () => {
    await kv();
    const news = { mount: KV, name: "a", dataJson: "{}", customMetadata: { maxVersions: 5, data: { owner: "me" } } };
    const state = await make(SECRET, news);
    expect(state.outputs["customMetadata"]).toMatchObject({ maxVersions: 5, data: { owner: "me" }, casRequired: false });
    await expectStable(plugin, SECRET, state, news);
  });

  test("custom metadata changes and goes; an entry that is not to be read is not", async () => {
    await kv();
    const news = { mount: KV, name: "a", dataJson: '{"x":1}', customMetadata: { data: { owner: "me" }, casRequired: true, deleteVersionAfter: 3600 } };
    const state = await make(SECRET, news);
    await expectStable(plugin, SECRET, state, news);
    const { inputs } = await plugin.check(SECRET, { ...news, customMetadata: { data: { owner: "you" }, maxVersions: 3 } }, state.inputs);
    const { outputs } = await plugin.update(SECRET, state, inputs);
    expect(outputs["customMetadata"]).toMatchObject({ data: { owner: "you" }, maxVersions: 3 });
    const blind = { mount: KV, name: "b", dataJson: new Secret('{"x":1}'), disableRead: true };
    const unread = await make(SECRET, blind);
    await call("PUT", `${KV}/data/b`, { data: { x: 2 } });
    expect((await plugin.read(SECRET, unread))?.inputs["dataJson"]).toEqual(new Secret('{"x":1}'));
  });

  test("an entry's name and mount replace it; a chosen name deletes first, a generated one does not", async () => {
    await kv();
    const state = await make(SECRET, { mount: KV, name: "a", dataJson: "{}" });
    expect(await plugin.diff(SECRET, state, { ...state.inputs, name: "b" })).toMatchObject({ replaces: ["name"], deleteBeforeReplace: false });
    expect(await plugin.diff(SECRET, state, { ...state.inputs, mount: "kv2" })).toMatchObject({ replaces: ["mount"], deleteBeforeReplace: true });
    const generated = await make(SECRET, { mount: KV, dataJson: "{}" });
    expect(generated.outputs["name"]).toMatch(/^it-[0-9a-f]{7}$/);
    const again = await plugin.check(SECRET, { mount: KV, dataJson: "{}" }, generated.inputs);
    expect(again.inputs["name"]).toBe(generated.outputs["name"]);
    expect(await plugin.diff(SECRET, generated, { ...generated.inputs, mount: "kv2" })).toMatchObject({ deleteBeforeReplace: false });
  });

  test("delete takes the latest version, or all of them", async () => {
    await kv();
    await plugin.delete(SECRET, await make(SECRET, { mount: KV, name: "one", dataJson: '{"x":1}' }));
    expect((await call("GET", `${KV}/metadata/one`)).status).toBe(200);
    await plugin.delete(SECRET, await make(SECRET, { mount: KV, name: "all", dataJson: '{"x":1}', deleteAllVersions: true }));
    expect((await call("GET", `${KV}/metadata/all`)).status).toBe(404);
  });

  test("dataJson that is no object is a check failure that shows none of it", async () => {
    expect((await plugin.check(SECRET, { mount: KV, dataJson: "oops, a password" })).failures).toEqual(["dataJson: must be a JSON object"]);
    expect((await plugin.check(SECRET, { mount: UNKNOWN, dataJson: UNKNOWN })).failures).toEqual([]);
  });

  test("a policy, and a token that has it", async () => {
    const policyText = 'path "kv/data/*" { capabilities = ["read"] }';
    const policy = await make(POLICY, { name: READERS, policy: policyText });
    expect(policy.id).toBe(READERS);
    await expectStable(plugin, POLICY, policy, { name: READERS, policy: policyText });
    const news = { policies: [READERS], displayName: "program", noParent: true, renewable: true, period: "768h", renewMinLease: 60, renewIncrement: 3600 };
    const token = await make(TOKEN, news);
    expect(token.outputs).toMatchObject({
      policies: [READERS],
      displayName: "program",
      noParent: true,
      renewable: true,
      leaseDuration: 2_764_800,
      clientToken: expect.any(Secret),
      period: "768h",
    });
    expect(token.id).not.toBe("");
    await expectStable(plugin, TOKEN, token, news);
    expect(await plugin.diff(TOKEN, token, { ...token.inputs, period: "24h" })).toMatchObject({ replaces: ["period"] });
    await plugin.delete(TOKEN, token);
    await plugin.delete(TOKEN, token);
    expect(await plugin.read(TOKEN, token)).toBeUndefined();
    await plugin.delete(POLICY, policy);
    expect((await call("GET", `sys/policies/acl/${READERS}`)).status).toBe(404);
  });

  test("a policy changes in place; an empty one is refused, as Vault does", async () => {
    const policy = await make(POLICY, { name: READERS, policy: "# none" });
    const next = { ...policy.inputs, policy: 'path "a" { capabilities = ["read"] }' };
    expect(await plugin.diff(POLICY, policy, next)).toMatchObject({ replaces: [] });
    expect((await plugin.update(POLICY, policy, next)).outputs["policy"]).toBe(next.policy);
    await expect(plugin.update(POLICY, policy, { ...policy.inputs, policy: "" })).rejects.toMatchObject({
      details: expect.stringContaining("400: 'policy' parameter not supplied or empty"),
    });
    await expect(make(POLICY, { name: `${READERS}2`, policy: 'path "a" { capabilities = ["fly"] }' })).rejects.toMatchObject({
      details: expect.stringContaining('invalid capability "fly"'),
    });
  });

  test("a token with an end, a number of uses and facts of its own", async () => {
    const news = { policies: ["default"], ttl: "1h", explicitMaxTtl: "2h", numUses: 5, metadata: { for: "a test" }, renewable: false };
    const token = await make(TOKEN, news);
    expect(token.outputs).toMatchObject({ leaseDuration: 3600, numUses: 5, renewable: false, noParent: false });
    expect((await plugin.read(TOKEN, token))?.outputs).toMatchObject({ metadata: { for: "a test" }, numUses: 5 });
    // Ended by somebody else it is gone, and that is no error.
    await call("POST", "auth/token/revoke-accessor", { accessor: token.id });
    expect(await plugin.read(TOKEN, token)).toBeUndefined();
  });

  test("a token that is handed over wrapped", async () => {
    if (!vault().given.wraps) return;
    const token = await make(TOKEN, { policies: ["default"], ttl: "1h", wrappingTtl: "60s" });
    expect(token.outputs).toMatchObject({ wrappedToken: expect.any(Secret), wrappingAccessor: expect.any(Secret) });
    expect((await plugin.read(TOKEN, token))?.outputs).toMatchObject({ leaseDuration: 3600 });
  });

  test("a token that ends soon is renewed when it is read", async () => {
    const token = await make(TOKEN, { ttl: "1h", renewMinLease: 7200, renewIncrement: 3600 });
    expect(token.outputs["leaseDuration"]).toBe(3600);
    const read = await plugin.read(TOKEN, token);
    expect(read?.outputs["clientToken"]).toEqual(token.outputs["clientToken"]);
  });

  test("the Kubernetes way in: method, configuration, role", async () => {
    if (!vault().given.kubernetes) return;
    const authority = await createAuthority("conformance");
    const reviewer = serviceAccountToken({ sub: "system:serviceaccount:vault-access:vault-token-reviewer" });
    const backendNews = { type: "kubernetes", path: METHOD, description: "Service accounts of dev" };
    const backend = await make(BACKEND, backendNews);
    expect(backend.id).toBe(METHOD);
    expect(backend.outputs).toMatchObject({ accessor: expect.stringMatching(/^auth_kubernetes_/), path: METHOD });
    // What was not asked for is what Vault made of it, in the official provider's writing.
    expect(backend.outputs["tune"]).toMatchObject({ defaultLeaseTtl: "768h", maxLeaseTtl: "768h" });
    await expectStable(plugin, BACKEND, backend, backendNews);
    const configNews = {
      backend: METHOD,
      kubernetesHost: "https://192.168.1.15:6443",
      kubernetesCaCert: authority.caPem,
      tokenReviewerJwt: reviewer,
      disableLocalCaJwt: true,
    };
    const config = await make(CONFIG, configNews);
    expect(config.id).toBe(`auth/${METHOD}/config`);
    expect(config.outputs).toMatchObject({ backend: METHOD, disableLocalCaJwt: true, tokenReviewerJwt: new Secret(reviewer) });
    await expectStable(plugin, CONFIG, config, configNews);
    const roleNews = {
      backend: METHOD,
      roleName: "apps",
      boundServiceAccountNames: ["eso"],
      boundServiceAccountNamespaces: ["apps"],
      tokenPolicies: ["p1", "p2"],
      tokenTtl: 3600,
    };
    const role = await make(ROLE, roleNews);
    expect(role.id).toBe(`auth/${METHOD}/role/apps`);
    await expectStable(plugin, ROLE, role, { ...roleNews, tokenPolicies: ["p2", "p1"] });
    const { inputs } = await plugin.check(ROLE, { ...roleNews, tokenTtl: 60 }, role.inputs);
    expect(await plugin.diff(ROLE, role, inputs)).toMatchObject({ replaces: [], detailed: { tokenTtl: 4 } });
    expect((await plugin.update(ROLE, role, inputs)).outputs["tokenTtl"]).toBe(60);
    await plugin.delete(ROLE, role);
    await plugin.delete(CONFIG, config);
    await plugin.delete(BACKEND, backend);
    expect((await call("GET", `sys/auth/${METHOD}`)).status).toBe(400);
  });

  test("an auth method moves with its roles; tuned, described, and back; a configuration loses what is taken away", async () => {
    if (!vault().given.kubernetes) return;
    const news = { type: "kubernetes", path: METHOD, tune: { maxLeaseTtl: "2h", tokenType: "default-batch" } };
    const state = await make(BACKEND, news);
    await expectStable(plugin, BACKEND, state, news);
    const configured = {
      backend: METHOD,
      kubernetesHost: "https://127.0.0.1:1",
      kubernetesCaCert: "-----BEGIN X-----\nYWJj\n-----END X-----\n",
      disableLocalCaJwt: true,
    };
    const config = await make(CONFIG, { ...configured, issuer: "https://issuer" });
    const { inputs: less } = await plugin.check(CONFIG, configured, config.inputs);
    expect((await plugin.update(CONFIG, config, less)).outputs).not.toHaveProperty("issuer", "https://issuer");
    await make(ROLE, { backend: METHOD, roleName: "app", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["b"] });
    const { inputs } = await plugin.check(
      BACKEND,
      { type: "kubernetes", path: `${METHOD}-moved`, description: "moved", tune: { maxLeaseTtl: "3h" } },
      state.inputs,
    );
    expect(await plugin.diff(BACKEND, state, inputs)).toMatchObject({ replaces: [] });
    const anew = await plugin.diff(BACKEND, state, { ...inputs, disableRemount: true });
    expect(anew).toMatchObject({ replaces: ["path"], detailed: { path: 5 } });
    const { outputs } = await plugin.update(BACKEND, state, inputs);
    expect(outputs).toMatchObject({ path: `${METHOD}-moved`, description: "moved", tune: { maxLeaseTtl: "3h" } });
    made.push([BACKEND, { id: state.id, inputs, outputs }]);
    expect((await call("GET", `auth/${METHOD}-moved/role/app`)).status).toBe(200);
    expect((await call("GET", `sys/auth/${METHOD}`)).status).toBe(400);
  });

  test("what a role has and no longer wants is taken away", async () => {
    if (!vault().given.kubernetes) return;
    await make(BACKEND, { type: "kubernetes", path: METHOD });
    const bound = { backend: METHOD, roleName: "app", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["*"] };
    const role = await make(ROLE, { ...bound, audience: "vault", tokenPolicies: ["p"], tokenTtl: 60, tokenMaxTtl: 120, tokenNumUses: 3 });
    const { inputs } = await plugin.check(ROLE, bound, role.inputs);
    const { outputs } = await plugin.update(ROLE, role, inputs);
    await expectStable(plugin, ROLE, { id: role.id, inputs, outputs }, bound);
    const { data } = z.object({ data: z.looseObject({}) }).parse((await call("GET", `auth/${METHOD}/role/app`)).body);
    expect(data).toMatchObject({ token_policies: [], token_ttl: 0, token_max_ttl: 0, token_num_uses: 0 });
    expect(data["audience"] ?? "").toBe("");
  });

  test("an audit device; every change replaces it", async () => {
    const news = { type: "file", path: DEVICE, options: { file_path: "discard" } };
    const state = await make(AUDIT, news);
    expect(state).toMatchObject({ id: DEVICE, outputs: { path: DEVICE, options: { file_path: "discard" } } });
    await expectStable(plugin, AUDIT, state, news);
    expect(await plugin.diff(AUDIT, state, { ...state.inputs, options: { file_path: "/x" } })).toMatchObject({ replaces: ["options"] });
    await plugin.delete(AUDIT, state);
    expect(await plugin.read(AUDIT, state)).toBeUndefined();
  });

  test("no permission is told in Vault's words, without the token", async () => {
    const other = await vault().plugin("hvs.not-a-token-at-all");
    const thrown = await other.make(POLICY, { name: "p", policy: "" }).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ details: expect.stringMatching(/^Vault: PUT sys\/policies\/acl\/p: 403: (1 error occurred:\s+\* )?permission denied/) });
    expect(String(thrown)).not.toContain("not-a-token");
    await other.close();
  });
}
