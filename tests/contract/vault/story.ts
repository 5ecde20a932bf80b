/** What the homelab does with a Vault, by its own code: set-up, entries, policies, logins of clusters, and removal. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { systemClock } from "../../../common/clock";
import { KV_MOUNT } from "../../../common/vault-layout";
import { readPolicy } from "../../../components/platform/vault/vault-policies";
import { createAuthority } from "../../../lab/core/tls";
import { Secret, type Values } from "../../../providers/sdk/values";
import { generateIdentity } from "../../../secrets/age";
import { encryptSopsFile } from "../../../secrets/sops-file";
import { createVaultApi, type VaultApi } from "../../../secrets/vault-api";
import { deleteEntries, findOrphans } from "../../../secrets/vault-orphans";
import { treeAt } from "../../../secrets/vault-paths";
import { runCommand, startCommand } from "../../support/run-command";
import type { State, TestProvider } from "../../support/test-provider";
import { serviceAccountToken } from "./service-account";
import { AUDIT, BACKEND, CONFIG, expectStable, MOUNT, POLICY, ROLE, SECRET, TOKEN, type VaultUnderTest } from "./under-test";

/** A name that the worker's policy allows and that nothing else in a given Vault has. */
const CLUSTER = `conformance${process.pid}`;

/** The policy of a worker that is not root: it may write entries and the auth method of a cluster. */
const WORKER_POLICY = `path "kv/data/*" { capabilities = ["create", "read", "update", "patch", "delete"] }
path "kv/metadata/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "kv/delete/*" { capabilities = ["update"] }
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/kv" { capabilities = ["read"] }
path "sys/internal/ui/mounts/kv" { capabilities = ["read"] }
path "sys/auth" { capabilities = ["read"] }
path "sys/auth/kubernetes-*" { capabilities = ["create", "read", "update", "delete", "sudo"] }
path "sys/mounts/auth/kubernetes-*" { capabilities = ["read", "update"] }
path "auth/kubernetes-*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/policies/acl/cluster-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`;

const entrySchema = z.object({ data: z.object({ data: z.record(z.string(), z.string()), metadata: z.object({ version: z.number() }) }) });

/** The tests are one story and run in order. */
export function homelabStory(vault: () => VaultUnderTest): void {
  let api: VaultApi;
  let program = "";
  let setUp: TestProvider;
  let worker: TestProvider;
  /** What was created. It is deleted in reverse order at the end. */
  const made: { by: () => TestProvider; type: string; state: State }[] = [];

  beforeAll(() => {
    api = createVaultApi(vault().given.address, systemClock);
  });
  afterAll(async () => {
    // Deletes what a failed test left. After a success the last test has deleted everything.
    for (const { by, type, state } of made.splice(0).toReversed()) await by().delete(type, state);
    await setUp?.close();
    await worker?.close();
    await api.close();
  });

  const call = (method: string, route: string, token: string, body?: unknown) => vault().call(method, route, body, token);

  /** Creates a resource, and asserts that the same inputs are no change and that a read gives the same state. */
  async function make(by: () => TestProvider, type: string, news: Values): Promise<State> {
    const state = await by().make(type, news);
    made.push({ by, type, state });
    await expectStable(by(), type, state, news);
    return state;
  }

  const entry = async (at: string) => entrySchema.parse((await call("GET", `${KV_MOUNT}/data/${at}`, program)).body).data;
  const put = (at: string, data: object, cas: number) => call("POST", `${KV_MOUNT}/data/${at}`, program, { data, options: { cas } });

  test("set-up by the root token: the mount, an audit log, a worker's policy and a periodic token", async () => {
    setUp = await vault().plugin();
    await make(() => setUp, MOUNT, { path: KV_MOUNT, type: "kv", options: { version: "2" }, description: "conformance" });
    await make(() => setUp, AUDIT, { type: "file", path: CLUSTER, options: { file_path: "discard" } });
    await make(() => setUp, POLICY, { name: `homelab-${CLUSTER}`, policy: WORKER_POLICY });
    const news = { policies: [`homelab-${CLUSTER}`], displayName: "conformance", noParent: true, renewable: true, period: "768h" };
    const token = await setUp.make(TOKEN, news);
    made.push({ by: () => setUp, type: TOKEN, state: token });
    program = String((token.outputs["clientToken"] as Secret).value);
    worker = await vault().plugin(program);
    expect(await api.accepts(program)).toBe(true);
  });

  test("an entry: written, read again, changed at its version; a writer who knows an older one is told, and nothing is lost", async () => {
    const at = "store/app";
    const state = await make(() => worker, SECRET, { mount: KV_MOUNT, name: at, dataJson: new Secret('{"b":"<2>","a":"1"}'), deleteAllVersions: true });
    expect(await entry(at)).toMatchObject({ data: { a: "1", b: "<2>" }, metadata: { version: 1 } });

    const next = { ...state.inputs, dataJson: new Secret('{"a":"2"}') };
    const changed = await worker.update(SECRET, state, next);
    expect(await entry(at)).toMatchObject({ data: { a: "2" }, metadata: { version: 2 } });

    expect((await put(at, { a: "by hand" }, 2)).status).toBe(200);
    const third = { ...state.inputs, dataJson: new Secret('{"a":"3"}') };
    await expect(worker.update(SECRET, { ...state, outputs: changed.outputs }, third)).rejects.toMatchObject({
      details: expect.stringContaining(`Vault: ${KV_MOUNT}/data/${at} was written by somebody else; it was left as it is`),
    });
    expect(await entry(at)).toMatchObject({ data: { a: "by hand" }, metadata: { version: 3 } });
    const refreshed = await worker.read(SECRET, { ...state, outputs: changed.outputs });
    await worker.update(SECRET, { ...state, outputs: refreshed?.outputs ?? {} }, third);
    expect(await entry(at)).toMatchObject({ data: { a: "3" }, metadata: { version: 4 } });
  });

  test("of several writers at the same moment one succeeds", async () => {
    const statuses = await Promise.all([1, 2, 3, 4].map(async (n) => (await put("store/race", { writer: String(n) }, 0)).status));
    expect(statuses.toSorted()).toEqual([200, 400, 400, 400]);
    const winner = statuses.indexOf(200) + 1;
    expect(await entry("store/race")).toMatchObject({ data: { writer: String(winner) }, metadata: { version: 1 } });
  });

  test("an entry that was deleted by hand is made again at its next version", async () => {
    expect((await put("store/gone", { a: "1" }, 0)).status).toBe(200);
    expect((await call("DELETE", `${KV_MOUNT}/data/store/gone`, program)).status).toBe(204);
    await make(() => worker, SECRET, { mount: KV_MOUNT, name: "store/gone", dataJson: new Secret('{"a":"2"}'), deleteAllVersions: true });
    expect(await entry("store/gone")).toMatchObject({ data: { a: "2" }, metadata: { version: 2 } });
  });

  test("entries that Git does not have are found at every depth, and are deleted with all versions when they are named", async () => {
    for (const at of ["one", "deep/er/two", "clusters/dev/kubeconfig"]) expect((await put(at, { a: "1" }, 0)).status).toBe(200);
    const inGit = new Set(["store/app", "store/gone", "store/race"]);
    expect(await findOrphans(api, program, inGit)).toEqual(["deep/er/two", "one"]);
    await expect(deleteEntries(api, program, inGit, ["one", "store/app"])).rejects.toMatchObject({ message: '"store/app" is in Git' });
    expect(await deleteEntries(api, program, inGit, ["one", "deep/er/two"])).toEqual(["one", "deep/er/two"]);
    expect(await findOrphans(api, program, inGit)).toEqual([]);
    for (const at of ["one", "deep/er/two"]) expect((await call("GET", `${KV_MOUNT}/metadata/${at}`, program)).status).toBe(404);
    expect(await api.list(program, "no/such/place")).toEqual([]);
  });

  test("`homelab vault orphans` and `delete`, as far as they speak with Vault; a token that may not stops them half-way, and they say where", async () => {
    const [me, folder] = [generateIdentity(), fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-suite-"))];
    for (const at of ["store/app", "store/gone", "store/race"]) {
      const file = path.join(folder, "common", `${at}.yaml`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, encryptSopsFile(treeAt(at, { key: "in Git" }), [me.recipient], new Date(0)));
    }
    const run = (verb: string, token: string, input = "") => {
      const env = { PATH: process.env["PATH"], HOME: folder, VAULT_ADDR: vault().given.address, VAULT_TOKEN: token };
      const own = { HOMELAB_SECRETS_DIR: folder, SOPS_AGE_KEY: me.secret };
      return runCommand(startCommand("secrets/vault.main.js", [verb], { cwd: folder, env: { ...env, ...own } }), input);
    };
    for (const at of ["a", "b", "c"]) expect((await put(at, { a: "1" }, 0)).status).toBe(200);
    expect(await run("orphans", program)).toEqual({ code: 0, out: '{"orphans":["a","b","c"]}\n', err: "" });
    expect(await run("orphans", "hvs.of-yesterday")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("refused to list kv/ (403): permission denied; invalid token\n  next: the token may have expired"),
    });
    const half = `path "${KV_MOUNT}/metadata/*" { capabilities = ["list", "read", "delete"] }\npath "${KV_MOUNT}/metadata/b" { capabilities = ["deny"] }`;
    await make(() => setUp, POLICY, { name: `half-${CLUSTER}`, policy: half });
    const token = await make(() => setUp, TOKEN, { policies: [`half-${CLUSTER}`], ttl: "5m" });
    const stopped = await run("delete", String((token.outputs["clientToken"] as Secret).value), "a\nb\nc\n");
    expect(stopped).toMatchObject({ code: 1, out: "", err: expect.stringContaining("refused to delete kv/b (403): permission denied") });
    expect(stopped.err).toContain("Deleted before: a; still there: b, c");
    expect(await run("delete", program, "b\nc\n")).toEqual({ code: 0, out: '{"deleted":["b","c"]}\n', err: "" });
    expect(await run("orphans", program)).toEqual({ code: 0, out: '{"orphans":[]}\n', err: "" });
    fs.rmSync(folder, { recursive: true });
  });

  test("the worker's token may do what its policy says, and no more", async () => {
    const allowed: [string, string, unknown?][] = [
      ["GET", `sys/mounts/${KV_MOUNT}`],
      ["GET", `sys/internal/ui/mounts/${KV_MOUNT}`],
      ["GET", "sys/auth"],
      ["GET", "auth/token/lookup-self"],
      ["POST", "auth/token/renew-self", {}],
    ];
    for (const [method, route, body] of allowed) expect([route, (await call(method, route, program, body)).status]).toEqual([route, 200]);
    const denied: [string, string, unknown?][] = [
      ["POST", "sys/mounts/other", { type: "kv" }],
      ["PUT", "sys/policies/acl/other", { policy: "" }],
      ["PUT", `sys/policies/acl/homelab-${CLUSTER}`, { policy: 'path "*" { capabilities = ["sudo"] }' }],
      ["POST", "auth/token/create", { policies: ["root"] }],
      ["POST", "sys/auth/other", { type: "kubernetes" }],
      ["GET", "sys/audit"],
      ["PUT", "sys/seal"],
      ["DELETE", `sys/mounts/${KV_MOUNT}`],
    ];
    for (const [method, route, body] of denied) expect([method, route, (await call(method, route, program, body)).status]).toEqual([method, route, 403]);
  });

  test("a namespace's policy reads the entries that it names, and Vault refuses every other way and place", async () => {
    await make(() => worker, POLICY, { name: `cluster-${CLUSTER}-app`, policy: readPolicy(["store/app"]) });
    await make(() => worker, POLICY, { name: `cluster-${CLUSTER}-nothing`, policy: readPolicy([]) });
    const made = await call("POST", "auth/token/create", vault().root, { policies: [`cluster-${CLUSTER}-app`], ttl: "5m" });
    const reader = z.object({ auth: z.object({ client_token: z.string() }) }).parse(made.body).auth.client_token;
    const tries: [string, string, unknown, number][] = [
      ["GET", "data/store/app", undefined, 200],
      ["GET", "data/store/app?version=1", undefined, 200],
      ["GET", "data/store/race", undefined, 403],
      ["GET", "data/store", undefined, 403],
      ["GET", "data/store/app/below", undefined, 403],
      ["GET", "metadata/store/app", undefined, 403],
      ["GET", "metadata/store?list=true", undefined, 403],
      ["POST", "data/store/app", { data: { a: "x" } }, 403],
      ["DELETE", "data/store/app", undefined, 403],
    ];
    for (const [method, route, body, status] of tries)
      expect([method, route, (await call(method, `${KV_MOUNT}/${route}`, reader, body)).status]).toEqual([method, route, status]);
    expect((await call("POST", "auth/token/revoke-self", reader)).status).toBe(204);
    expect((await call("GET", `${KV_MOUNT}/data/store/app`, reader)).status).toBe(403);
  });

  test("a cluster's way in, made with the worker's token; a forged identity does not log in", async () => {
    if (!vault().given.kubernetes) return;
    const backend = `kubernetes-${CLUSTER}`;
    await make(() => worker, BACKEND, { type: "kubernetes", path: backend, description: "conformance" });
    const jwt = serviceAccountToken();
    const authority = await createAuthority("conformance");
    await make(() => worker, CONFIG, {
      backend,
      kubernetesHost: "https://127.0.0.1:1",
      kubernetesCaCert: authority.caPem,
      tokenReviewerJwt: new Secret(jwt),
      disableLocalCaJwt: true,
    });
    await make(() => worker, ROLE, {
      backend,
      roleName: "app",
      boundServiceAccountNames: ["reader"],
      boundServiceAccountNamespaces: ["app"],
      tokenPolicies: [`cluster-${CLUSTER}-app`],
      tokenTtl: 3600,
    });
    const login = await call("POST", `auth/${backend}/login`, "", { role: "app", jwt });
    expect([login.status >= 400, JSON.stringify(login.body).includes("client_token")]).toEqual([true, false]);
  });

  test("everything that was created is deleted, also a second time", async () => {
    const things = made.splice(0).toReversed();
    for (const { by, type, state } of things.filter((thing) => thing.by() === worker)) {
      await by().delete(type, state);
      await by().delete(type, state);
    }
    for (const { by, type, state } of things.filter((thing) => thing.by() !== worker)) await by().delete(type, state);
    expect((await call("GET", `sys/mounts/${KV_MOUNT}`, vault().root)).status).not.toBe(200);
    expect(await api.accepts(program)).toBe(false);
    expect((await call("GET", `sys/policies/acl/homelab-${CLUSTER}`, vault().root)).status).toBe(404);
  });
}
