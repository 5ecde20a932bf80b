import * as http from "node:http";
import { LabVault } from "../../tests/support/lab-vault";

const lab = new LabVault();
let root: string;

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${lab.server.port}/v1/${path}`, {
    method,
    headers: { "x-vault-token": root, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

beforeAll(async () => {
  await lab.start();
  root = await lab.open();
  await lab.mountKv(root);
  await call("POST", "sys/auth/kubernetes", { type: "kubernetes" });
});
afterAll(lab.stop);

const ROLE = { bound_service_account_names: ["a"], bound_service_account_namespaces: ["b"] };

test.each([
  ["GET", "sys/mounts?no-such=1", undefined],
  ["POST", "sys/mounts/other", { type: "kv", options: { version: "2" }, plugin_name: "mine" }],
  ["POST", "sys/mounts/kv/tune", { user_lockout_config: { lockout_threshold: "5" } }],
  ["POST", "sys/auth/other", { type: "kubernetes", plugin_name: "mine" }],
  ["POST", "sys/remount", { from: "kv", to: "kv2", force: true }],
  ["POST", "sys/policies/acl/a", { policy: 'path "a" { capabilities = ["read"] }', expiration: "1h" }],
  ["POST", "sys/audit/file", { type: "file", options: { file_path: "/x" }, filter: "operation == read" }],
  ["POST", "auth/token/create", { id: "my-own" }],
  ["POST", "auth/token/create", { entity_alias: "x" }],
  ["POST", "auth/token/roles/a", { allowed_policies_glob: ["a*"] }],
  ["POST", "auth/token/roles/a", { token_bound_cidrs: ["10.0.0.0/8"] }],
  ["POST", "auth/token/roles/a", { path_suffix: "x" }],
  ["POST", "auth/token/roles/a", { token_type: "batch" }],
  ["POST", "auth/kubernetes/role/a", { ...ROLE, token_bound_cidrs: ["10.0.0.0/8"] }],
  ["POST", "auth/kubernetes/role/a", { ...ROLE, token_strictly_bind_ip: true }],
  ["POST", "auth/kubernetes/role/a", { ...ROLE, token_type: "batch" }],
  ["POST", "auth/kubernetes/login", { role: "a", jwt: "x", no_such: "y" }],
  ["PUT", "sys/unseal", { key: "", migrate: true }],
  ["PUT", "sys/init", { secret_shares: 1, secret_threshold: 1, no_such: 1 }],
  ["PUT", "sys/generate-root/attempt", { no_such: "x" }],
  ["GET", "sys/health?no-such=1", undefined],
  ["POST", "auth/kubernetes/config", { kubernetes_host: "https://a", no_such: "x" }],
] as const)("%s %s %j is refused and noted, and writes nothing", async (method, path, body) => {
  const [noted, last] = [lab.ctx.unhandled.all().length, lab.ctx.records.since().filter(({ kind }) => kind === "write").length];
  const { status, text } = await call(method, path, body);
  expect([status, /not modelled by the lab/.test(text), lab.ctx.unhandled.all().length - noted]).toEqual([400, true, 1]);
  expect(lab.ctx.records.since().filter(({ kind }) => kind === "write")).toHaveLength(last);
});

/** What goes over the wire, since a URL's own parser takes detours out. */
const asIs = (target: string): Promise<{ status?: number | undefined; location?: string | undefined }> =>
  new Promise((resolve, reject) => {
    const options = { hostname: "127.0.0.1", port: lab.server.port, path: target, headers: { "x-vault-token": root } };
    http.get(options, ({ statusCode, headers }) => resolve({ status: statusCode, location: headers.location })).on("error", reject);
  });

test.each([
  ["/v1/kv/data/a/../b", "/v1/kv/data/b"],
  ["/v1/kv/data/a%2fb/../c?list=true", "/v1/kv/data/c?list=true"],
  ["//v1/kv//config", "/v1/kv/config"],
  ["/v1/../v1/sys/health", "/v1/sys/health"],
])("a detour in a path leads to where it means, and is judged there: %s", async (target, location) => {
  expect(await asIs(target)).toEqual({ status: 307, location });
});

test("a path that is no encoding is refused, and is no bug of the lab", async () => {
  const noted = lab.ctx.unhandled.all().length;
  expect(await asIs("/v1/kv/data/%ZZ")).toEqual({ status: 400 });
  expect(lab.ctx.unhandled.all().length).toBe(noted);
});

test("a field of another path is ignored, as by a real server", async () => {
  expect((await call("PUT", "auth/token/renew-self", { kubernetes_host: "https://a" })).text).not.toContain("not modelled");
});

test("a namespace is refused; an empty field asks for nothing", async () => {
  expect((await call("GET", "sys/mounts", undefined, { "x-vault-namespace": "team" })).text).toContain("namespaces are not modelled by the lab");
  const role = { allowed_policies: ["default"], allowed_policies_glob: [], path_suffix: "", token_bound_cidrs: null };
  expect((await call("POST", "auth/token/roles/good", role)).status).toBe(204);
});

test("a token role without the default policy gives tokens without it", async () => {
  await call("POST", "sys/policies/acl/a", { policy: 'path "kv/*" { capabilities = ["read"] }' });
  await call("POST", "auth/token/roles/bare", { allowed_policies: ["a"], token_no_default_policy: true });
  const { text } = await call("POST", "auth/token/create/bare", { policies: ["a"] });
  expect((JSON.parse(text) as { auth: { policies: string[] } }).auth.policies).toEqual(["a"]);
});
