/** For every type: a refresh sees what somebody changed in Vault, and the next update corrects it. */
import { Secret, type Values } from "../../../providers/sdk/values";
import type { State } from "../../support/test-provider";
import { typeBench } from "./types/bench";
import { AUDIT, BACKEND, CONFIG, MOUNT, POLICY, ROLE, SECRET, TOKEN, type VaultUnderTest } from "./under-test";

// Names that nothing else in a given Vault has.
const KV = `drift-kv-${process.pid}`;
const METHOD = `drift-kubernetes-${process.pid}`;
const NAME = `drift-${process.pid}`;

interface DriftCase {
  title: string;
  type: string;
  /** Resources that it needs, created first. */
  beside?: readonly [string, Values][];
  given: Values;
  /** Method, path and body of a request. */
  edit: readonly [string, string, unknown];
  shows: readonly string[];
}

const kv: [string, Values] = [MOUNT, { path: KV, type: "kv", options: { version: "2" } }];
const method: [string, Values] = [BACKEND, { type: "kubernetes", path: METHOD }];
const mount = { path: KV, type: "kv", options: { version: "2" }, description: "entries", maxLeaseTtlSeconds: 7200, listingVisibility: "unauth" };
const role = { backend: METHOD, roleName: "app", boundServiceAccountNames: ["a"], boundServiceAccountNamespaces: ["b"], tokenPolicies: ["p"], tokenTtl: 60 };
const bound = { bound_service_account_names: ["a"], bound_service_account_namespaces: ["b"] };
const config = {
  backend: METHOD,
  kubernetesHost: "https://127.0.0.1:1",
  disableLocalCaJwt: true,
  kubernetesCaCert: "-----BEGIN X-----\nYWJj\n-----END X-----\n",
};
const entry = { mount: KV, name: "app", dataJson: new Secret('{"a":1}'), deleteAllVersions: true };

const CASES: DriftCase[] = [
  { title: "a mount's description", type: MOUNT, given: mount, edit: ["POST", `sys/mounts/${KV}/tune`, { description: "mine" }], shows: ["description"] },
  { title: "a mount's lease", type: MOUNT, given: mount, edit: ["POST", `sys/mounts/${KV}/tune`, { max_lease_ttl: "1h" }], shows: ["maxLeaseTtlSeconds"] },
  {
    title: "a mount's listing",
    type: MOUNT,
    given: mount,
    edit: ["POST", `sys/mounts/${KV}/tune`, { listing_visibility: "hidden" }],
    shows: ["listingVisibility"],
  },
  { title: "an entry", type: SECRET, beside: [kv], given: entry, edit: ["POST", `${KV}/data/app`, { data: { a: 2 } }], shows: ["dataJson"] },
  {
    title: "an entry's metadata",
    type: SECRET,
    beside: [kv],
    given: { ...entry, customMetadata: { maxVersions: 5, data: { owner: "us" } } },
    edit: ["POST", `${KV}/metadata/app`, { max_versions: 9, custom_metadata: { owner: "us" } }],
    shows: ["customMetadata.maxVersions"],
  },
  {
    title: "a policy",
    type: POLICY,
    given: { name: NAME, policy: 'path "a" { capabilities = ["read"] }' },
    edit: ["POST", `sys/policies/acl/${NAME}`, { policy: 'path "*" { capabilities = ["sudo"] }' }],
    shows: ["policy"],
  },
  {
    title: "an auth method's description",
    type: BACKEND,
    given: { type: "kubernetes", path: METHOD, description: "a" },
    edit: ["POST", `sys/mounts/auth/${METHOD}/tune`, { description: "mine" }],
    shows: ["description"],
  },
  {
    title: "an auth method's tuning",
    type: BACKEND,
    given: { type: "kubernetes", path: METHOD, tune: { maxLeaseTtl: "2h", listingVisibility: "unauth" } },
    edit: ["POST", `sys/mounts/auth/${METHOD}/tune`, { max_lease_ttl: "9h" }],
    shows: ["tune.maxLeaseTtl"],
  },
  {
    title: "a role's policies",
    type: ROLE,
    beside: [method],
    given: role,
    edit: ["POST", `auth/${METHOD}/role/app`, { ...bound, token_policies: ["root-like"] }],
    shows: ["tokenPolicies[0]"],
  },
  {
    title: "a role's namespaces",
    type: ROLE,
    beside: [method],
    given: role,
    edit: ["POST", `auth/${METHOD}/role/app`, { ...bound, bound_service_account_namespaces: ["*"] }],
    shows: ["boundServiceAccountNamespaces[0]"],
  },
  {
    title: "a role's lease",
    type: ROLE,
    beside: [method],
    given: role,
    edit: ["POST", `auth/${METHOD}/role/app`, { ...bound, token_ttl: "1h" }],
    shows: ["tokenTtl"],
  },
  {
    title: "a method's configuration",
    type: CONFIG,
    beside: [method],
    given: config,
    edit: [
      "POST",
      `auth/${METHOD}/config`,
      { kubernetes_host: "https://127.0.0.1:2", disable_local_ca_jwt: true, kubernetes_ca_cert: config.kubernetesCaCert },
    ],
    shows: ["kubernetesHost"],
  },
];

export function driftInVault(vault: () => VaultUnderTest): void {
  const bench = typeBench(vault);
  const read = async (type: string, state: State): Promise<State> => {
    const found = await bench.plugin.read(type, state);
    if (found === undefined) throw new Error(`${type} is gone`);
    return found;
  };

  test.each(CASES)("$title", async ({ type, beside = [], given, edit: [verb, path, body], shows }) => {
    if (!vault().given.kubernetes && [BACKEND, ROLE, CONFIG].includes(type)) return;
    for (const [before, inputs] of beside) await bench.make(before, inputs);
    const state = await bench.make(type, given);
    const { inputs } = state;
    const same = async (found: State) => expect((await bench.plugin.diff(type, found, inputs)).detailed).toEqual({});
    await same(await read(type, state));
    expect((await vault().call(verb, path, body)).status).toBeLessThan(300);
    const drifted = await read(type, state);
    expect(Object.keys((await bench.plugin.diff(type, drifted, inputs)).detailed)).toEqual(shows);
    const mended = await bench.plugin.update(type, drifted, inputs);
    await same(mended);
    await same(await read(type, mended));
  });

  test.each([
    ["a token", TOKEN, { policies: ["default"], ttl: "1h" }, (state: State) => ["POST", "auth/token/revoke-accessor", { accessor: state.id }]],
    ["an audit device", AUDIT, { type: "file", path: NAME, options: { file_path: "stdout" } }, () => ["DELETE", `sys/audit/${NAME}`]],
  ] as [string, string, Values, (state: State) => [string, string, unknown]][])("%s that is gone is made anew", async (_title, type, given, remove) => {
    const state = await bench.plugin.make(type, given);
    const [verb, path, body] = remove(state);
    expect((await vault().call(verb, path, body)).status).toBeLessThan(300);
    expect(await bench.plugin.read(type, state)).toBeUndefined();
    await bench.make(type, given);
  });
}
