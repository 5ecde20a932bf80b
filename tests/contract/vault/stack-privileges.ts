/**
 * What each stack's token and each namespace's identity can do in a Vault that the program has filled. They try every path that the
 * server lists, with every method, with names that belong to them and to others, and with a body that asks for every privilege. The
 * answers must not have values of others. Afterwards nothing of others may be changed in Vault, and no token may do more than before.
 */
import * as fs from "node:fs";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { systemClock } from "../../../common/clock";
import type { StackGrant } from "../../../components/platform/vault/vault-names";
import { authMountOf, kubeconfigEntry } from "../../../components/platform/vault/vault-names";
import { MANAGER_POLICY } from "../../../components/platform/vault/vault-policies";
import { generateIdentity } from "../../../secrets/age";
import { createVaultApi } from "../../../secrets/vault-api";
import { keysFile, storeVaultKeys } from "../../../secrets/vault-keys";
import { setUpVault } from "../../../secrets/vault-set-up";
import { buildEstate, type Estate } from "./estate";
import { COMMON, ENTRIES, GRANTS, markOf, own } from "./granted";
import { serviceAccountToken } from "./service-account";
import { spellings, UNLISTED, waysOut } from "./spellings";
import { startReviewer } from "./token-reviewer";
import type { VaultAnswer, VaultUnderTest } from "./under-test";
import { wishOf } from "./wish";

const METHODS = ["GET", "LIST", "PUT", "POST", "PATCH", "DELETE"];
const documentSchema = z.object({ paths: z.record(z.string(), z.unknown()) });
const AT_ONCE = 12;

/** Who holds a token, and the entries whose values it may see. */
interface Holder {
  name: string;
  token: string;
  stack: string;
  mayRead: readonly string[];
}

/** The tests run in order. @param unsealKeys of the Vault; empty if somebody else initialised it */
export function stackPrivileges(vault: () => VaultUnderTest, unsealKeys: () => readonly string[]): void {
  const identity = generateIdentity();
  let folder: string;
  let manager = "";
  let estate: Estate;
  /** A cluster's API that accepts the tokens which it issued. */
  let honest: Server;
  /** A cluster's API that accepts every token, as a malicious holder of a stack would run it. */
  let turned: Server;
  let ca = "";
  const issued = new Set<string>();

  const call = (method: string, route: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<VaultAnswer> =>
    vault().call(method, route, body, token, headers);
  const run = (): boolean => unsealKeys().length > 0;
  const tokenOf = (stack: string): string => estate.tokens.get(stack) ?? "";
  const config = (cluster: Server) => ({
    kubernetes_host: `https://127.0.0.1:${(cluster.address() as AddressInfo).port}`,
    kubernetes_ca_cert: ca,
    token_reviewer_jwt: serviceAccountToken(),
    disable_local_ca_jwt: true,
  });
  const claims = (of: string, uid = "uid") => ({
    aud: ["vault"],
    sub: `system:serviceaccount:${of}:vault-reader`,
    "kubernetes.io": { namespace: of, serviceaccount: { name: "vault-reader", uid } },
  });
  /** Logs in as External Secrets does, with a token that the stack's cluster has issued. */
  const login = (stack: string, role: string, of = role) => {
    const jwt = serviceAccountToken(claims(of));
    issued.add(jwt);
    return call("POST", `auth/${authMountOf(stack)}/login`, { role, jwt }, "");
  };

  async function start(knows: (token: string) => boolean): Promise<Server> {
    const { server, caPem } = await startReviewer(knows);
    ca += caPem;
    vault().given.reach((server.address() as AddressInfo).port);
    return server;
  }

  /** Restores entries and configurations, which holders may have changed where they are their own. */
  async function restore(): Promise<void> {
    for (const entry of ENTRIES) expect((await call("POST", `kv/data/${entry}`, { data: { value: markOf(entry) } })).status).toBe(200);
    for (const { stack } of GRANTS) expect((await call("PUT", `auth/${authMountOf(stack)}/config`, config(honest))).status).toBe(204);
  }

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-vault-privileges-"));
    [honest, turned] = [await start((token) => issued.has(token)), await start(() => true)];
    if (!run()) return;
    storeVaultKeys(keysFile(folder, vault().given.address), { unsealKeys: unsealKeys() }, [identity.recipient], new Date(0));
    const api = createVaultApi(vault().given.address, systemClock);
    const args = { api, address: vault().given.address, folder, recipients: [identity.recipient], identities: () => [identity], now: () => new Date(0) };
    manager = await setUpVault({ ...args, ...MANAGER_POLICY });
    await api.close();
    expect((await call("POST", "sys/mounts/kv", { type: "kv", options: { version: "2" } }, manager)).status).toBe(204);
    while ((await call("GET", "kv/config")).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    estate = await buildEstate(vault(), manager, GRANTS);
  });
  afterAll(async () => {
    if (run()) {
      await estate.remove();
      await call("DELETE", "sys/mounts/kv");
      await call("DELETE", `sys/policies/acl/${MANAGER_POLICY.name}`);
      await call("POST", "sys/auth/token/tune", { max_lease_ttl: "0" });
    }
    for (const cluster of [honest, turned]) {
      cluster.closeAllConnections();
      await new Promise<void>((resolve) => cluster.close(() => resolve()));
    }
    fs.rmSync(folder, { recursive: true });
  });

  test("the managing stack's token reads no entry, and does not write its own policy", async () => {
    if (!run()) return;
    expect((await call("GET", "kv/data/store/dns", undefined, manager)).status).toBe(403);
    for (const name of [MANAGER_POLICY.name, "default", "other"])
      expect([name, (await call("PUT", `sys/policies/acl/${name}`, { policy: "# x" }, manager)).status]).toEqual([name, 403]);
  });

  test("each stack writes what is its own, by its own token: its kubeconfig, its values, where its cluster is; tools the common entries too", async () => {
    if (!run()) return;
    const write = async (stack: string, entry: string) =>
      (await call("POST", `kv/data/${entry}`, { data: { value: markOf(entry) }, options: { cas: 0 } }, tokenOf(stack))).status;
    for (const entry of COMMON) expect([entry, await write("tools", entry)]).toEqual([entry, 200]);
    for (const { stack } of GRANTS) {
      for (const entry of own(stack)) expect([entry, await write(stack, entry)]).toEqual([entry, 200]);
      expect([stack, (await call("PUT", `auth/${authMountOf(stack)}/config`, config(honest), tokenOf(stack))).status]).toEqual([stack, 204]);
      expect((await call("GET", `kv/data/${kubeconfigEntry(stack)}`, undefined, tokenOf(stack))).status).toBe(200);
      expect((await call("POST", "auth/token/renew-self", {}, tokenOf(stack))).status).toBe(200);
    }
    // An entry of its own can be deleted with all versions.
    expect(await write("dev", "environments/dev/gone")).toBe(200);
    expect((await call("DELETE", "kv/metadata/environments/dev/gone", undefined, tokenOf("dev"))).status).toBe(204);
  });

  test("a role takes tokens that were made for Vault, and no others", async () => {
    if (!run()) return;
    const elsewhere = serviceAccountToken({ ...claims("shop"), aud: ["https://kubernetes.default.svc"] });
    issued.add(elsewhere);
    const refused = await call("POST", `auth/${authMountOf("dev")}/login`, { role: "shop", jwt: elsewhere }, "");
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([403, expect.stringContaining("audience")]);
    expect((await login("dev", "shop")).status).toBe(200);
    expect((await login("dev", "shop", "external-dns")).status).toBe(403);
  });

  /** Every path that the server lists, with names in place of the parameters. */
  async function everyPath(stack: string): Promise<string[]> {
    const { paths } = documentSchema.parse((await call("GET", "sys/internal/specs/openapi")).body);
    const names = Object.keys(paths).map((template) => template.replace(/^\//, ""));
    expect(names.length).toBeGreaterThan(40);
    const others = GRANTS.map((grant) => grant.stack).filter((name) => name !== stack);
    const policies = [`stack.${stack}`, `stack.${others[0]}`, `namespace.${stack}.shop`, MANAGER_POLICY.name, "default", "root", "fresh"];
    const mounts = [authMountOf(stack), authMountOf(others[0] ?? ""), `${authMountOf(stack)}/tune`, "kv", "kv/tune", "token", "token/tune", "fresh"];
    const wordsFor = (template: string): string[] => {
      if (/^kv\//.test(template)) return [...ENTRIES, "clusters", "environments", "environments/../store/dns", "store", ""];
      if (/^sys\/(policies|policy)/.test(template)) return policies;
      if (/^sys\/(auth|mounts|remount|internal\/ui\/mounts)/.test(template)) return [...mounts, `auth/${authMountOf(stack)}/tune`];
      if (/\/role\//.test(template)) return ["external-dns", "shop", "fresh"];
      return ["x"];
    };
    return names.flatMap((template) => {
      if (!template.includes("{")) return [template];
      // All parameters of a path get the same name.
      return wordsFor(template).map((word) => template.replace(/\{[^}]+\}/g, word));
    });
  }

  const wish = (holder: Holder, accessors: readonly string[]): Record<string, unknown> =>
    wishOf(holder, accessors, config(turned), serviceAccountToken(claims("external-dns", "forged")));

  /** Everything in Vault that does not belong to the holder: policies, mounts, roles and configurations of others, entries. */
  async function everythingElse(holder: Holder): Promise<unknown> {
    const read = async (route: string): Promise<unknown> => (await call("GET", route)).body["data"];
    const policies = await call("LIST", "sys/policies/acl");
    const { keys } = z.object({ keys: z.array(z.string()) }).parse(policies.body["data"]);
    const stacks = GRANTS.map(({ stack }) => stack);
    const entries = ENTRIES.filter((entry) => !holder.mayRead.includes(entry) || (holder.stack !== "tools" && COMMON.includes(entry)));
    return {
      policies: await Promise.all(keys.map(async (name) => [name, await read(`sys/policies/acl/${name}`)])),
      mounts: Object.keys((await read("sys/mounts")) as object).toSorted(),
      auths: Object.keys((await read("sys/auth")) as object).toSorted(),
      roles: await Promise.all(
        GRANTS.flatMap(({ stack, namespaces }) => namespaces.map(async ({ role }) => [stack, role, await read(`auth/${authMountOf(stack)}/role/${role}`)])),
      ),
      configs: await Promise.all(stacks.filter((stack) => stack !== holder.stack).map((stack) => read(`auth/${authMountOf(stack)}/config`))),
      entries: await Promise.all(entries.map(async (entry) => [entry, await read(`kv/data/${entry}`)])),
      audits: await read("sys/audit"),
    };
  }

  const capabilities = async (holder: Holder): Promise<unknown> => (await call("POST", "auth/token/lookup", { token: holder.token })).body["data"] as unknown;
  const policiesOf = (found: unknown): unknown => (found as { policies?: unknown } | undefined)?.policies;

  interface Tried {
    /** Values that it read and must not read. */
    leaks: string[];
    /** Tokens that it received. */
    tokens: string[];
    answers: number;
  }

  async function tryEverything(holder: Holder): Promise<Tried> {
    const paths = await everyPath(holder.stack);
    const forbidden = ENTRIES.filter((entry) => !holder.mayRead.includes(entry)).map(markOf);
    const { keys: accessors } = z.object({ keys: z.array(z.string()) }).parse((await call("GET", "auth/token/accessors?list=true")).body["data"]);
    const body = wish(holder, accessors);
    const attempts = paths.flatMap((route) => METHODS.map((method) => ({ method, route })));
    // It does not revoke tokens, since its own is needed until the end.
    const kept = attempts.filter(({ route }) => !/^auth\/token\/revoke/.test(route));
    const tried: Tried = { leaks: [], tokens: [], answers: 0 };
    const one = async ({ method, route }: { method: string; route: string }): Promise<void> => {
      const writes = ["PUT", "POST", "PATCH"].includes(method);
      const headers = method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {};
      const target = method === "LIST" ? `${route}?list=true` : route;
      const answer = await call(method === "LIST" ? "GET" : method, target, writes ? body : undefined, holder.token, headers).catch(() => undefined);
      if (answer === undefined) return;
      tried.answers++;
      const text = JSON.stringify(answer.body);
      for (const value of forbidden) if (text.includes(value)) tried.leaks.push(`${method} ${route}: ${value}`);
      const given = z.object({ auth: z.object({ client_token: z.string() }) }).safeParse(answer.body);
      if (given.success && given.data.auth.client_token !== holder.token) tried.tokens.push(given.data.auth.client_token);
    };
    for (let at = 0; at < kept.length; at += AT_ONCE) await Promise.all(kept.slice(at, at + AT_ONCE).map(one));
    return tried;
  }

  /** What a stack may read: its own entries, and those of its namespaces, since it configures which cluster may log in as them. */
  const reachOf = ({ stack, writesCommon, namespaces }: StackGrant): string[] => [
    ...own(stack),
    ...(writesCommon ? COMMON : []),
    ...namespaces.flatMap(({ paths }) => paths),
  ];

  test.each(GRANTS.map((grant) => [grant.stack, grant] as const))(
    "the token of %s finds no way to a value of another stack or namespace, on any path, and leaves all that is theirs as it was",
    async (stack, grant) => {
      if (!run()) return;
      const holder: Holder = { name: stack, stack, token: tokenOf(stack), mayRead: reachOf(grant) };
      const [before, mine] = [await everythingElse(holder), policiesOf(await capabilities(holder))];
      expect(mine).toEqual([`stack.${stack}`]);
      const tried = await tryEverything(holder);
      expect(tried.leaks).toEqual([]);
      expect(tried.answers).toBeGreaterThan(500);
      // Tokens that it received by logging in as its own namespaces have the policies of these namespaces, and no others.
      for (const token of tried.tokens) {
        const policies = policiesOf((await call("POST", "auth/token/lookup", { token })).body["data"]) as string[] | undefined;
        const allowed = ["default", `stack.${stack}`, ...grant.namespaces.map(({ role }) => `namespace.${stack}.${role}`)];
        expect((policies ?? []).filter((name) => !allowed.includes(name))).toEqual([]);
      }
      expect(await everythingElse(holder)).toEqual(before);
      expect(policiesOf(await capabilities(holder))).toEqual(mine);
      await restore();
    },
    120_000,
  );

  test.each(GRANTS.map((grant) => [grant.stack, grant] as const))(
    "nor does the token of %s on a path that is spelled otherwise, or that the server does not list",
    async (stack, grant) => {
      if (!run()) return;
      const holder: Holder = { name: stack, stack, token: tokenOf(stack), mayRead: reachOf(grant) };
      const forbidden = ENTRIES.filter((entry) => !holder.mayRead.includes(entry));
      const other = forbidden.find((entry) => entry.startsWith("environments/")) ?? "";
      const cluster = forbidden.find((entry) => entry.startsWith("clusters/")) ?? "";
      const entries = [other, cluster].flatMap((entry) =>
        ["data", "metadata", "delete", "undelete", "destroy", "subkeys"].map((part) => `kv/${part}/${entry}`),
      );
      const otherStack = other.split("/")[1] ?? "";
      const system = [`sys/policies/acl/stack.${otherStack}`, `sys/policy/stack.${stack}`, `auth/${authMountOf(otherStack)}/config`, "sys/mounts/kv/tune"];
      const targets = [...entries, ...system].flatMap((path) => spellings(path, stack)).concat(UNLISTED.map((path) => `/v1/${path}`));
      const before = await everythingElse(holder);
      const values = forbidden.map(markOf);
      const found: string[] = [];
      const one = async (method: string, target: string): Promise<void> => {
        const body = ["PUT", "POST", "PATCH"].includes(method) ? wish(holder, []) : undefined;
        const { status, text } = await vault().sendAsIs(method, target, holder.token, body);
        // The stack that writes the common entries may read and write any entry that is nobody's, whatever it is called. `%2e` that is encoded
        // once more is the name of an entry of its own.
        // A server that is no cluster answers that it has stepped down to everybody, and does nothing.
        const isOpen = status >= 200 && status < 300 && !grant.writesCommon && !target.includes("%252e") && !target.endsWith("sys/step-down");
        if (isOpen || values.some((value) => text.includes(value))) found.push(`${method} ${target}: ${status}`);
      };
      const attempts = targets.flatMap((target) => ["GET", "POST", "PATCH", "DELETE"].map((method) => [method, target] as const));
      for (let at = 0; at < attempts.length; at += AT_ONCE) await Promise.all(attempts.slice(at, at + AT_ONCE).map((each) => one(...each)));
      expect(found).toEqual([]);
      expect(await everythingElse(holder)).toEqual(before);
      await restore();
    },
    120_000,
  );

  test.each(GRANTS.map((grant) => [grant.stack, grant] as const))(
    "nor where the policy of %s allows a path that leads out of its folder: no entry of another stack or namespace is so near",
    async (stack, grant) => {
      if (!run()) return;
      const holder: Holder = { name: stack, stack, token: tokenOf(stack), mayRead: reachOf(grant) };
      const others = GRANTS.map((other) => other.stack).filter((name) => name !== stack);
      const before = await everythingElse(holder);
      const values = ENTRIES.filter((entry) => !holder.mayRead.includes(entry)).map(markOf);
      const leaks: string[] = [];
      let open = 0;
      for (const target of waysOut(stack, others))
        for (const method of ["GET", "POST", "PATCH", "DELETE"]) {
          const { status, text } = await vault().sendAsIs(method, target, holder.token, method === "GET" ? undefined : wish(holder, []));
          if (status < 300) open++;
          if (values.some((value) => text.includes(value))) leaks.push(`${method} ${target}`);
        }
      expect(leaks).toEqual([]);
      // Some of these paths are allowed: otherwise this test would try nothing.
      expect(open).toBeGreaterThan(20);
      expect(await everythingElse(holder)).toEqual(before);
      await restore();
    },
    120_000,
  );

  test.each(GRANTS.flatMap(({ stack, namespaces }) => namespaces.map((grant) => [stack, grant.namespace, grant.paths] as const)))(
    "in %s the namespace %s reads the entries that it names, and finds nothing else on any path",
    async (stack, role, paths) => {
      if (!run()) return;
      const { client_token: token } = z.object({ auth: z.object({ client_token: z.string() }) }).parse((await login(stack, role)).body).auth;
      const holder: Holder = { name: `${stack}/${role}`, stack, token, mayRead: paths };
      for (const entry of paths) expect((await call("GET", `kv/data/${entry}`, undefined, token)).status).toBe(200);
      const before = await everythingElse(holder);
      const tried = await tryEverything(holder);
      expect(tried.leaks).toEqual([]);
      expect(await everythingElse(holder)).toEqual(before);
    },
    120_000,
  );
}
