/**
 * Logins with tokens that a real kube-apiserver issues and reviews: to the lab's Vault, and to a given one that is initialised.
 * The reviewer has only the role that the program gives it (components/platform/cluster-access/vault-cluster-access.ts).
 */
import * as fs from "node:fs";
import { z } from "zod";
import { createContext } from "../../../lab/core/context";
import { startVault } from "../../../lab/vault";
import { givenVaultAddress, givenVaultTokenFile } from "../../support/given-vault";
import { type RealKubernetes, startRealKubernetes } from "../../support/real-kubernetes";
import { describeReal } from "../../support/real-parts";
import { type GivenVault, VaultUnderTest } from "./under-test";

const METHOD = `kubernetes-real${process.pid}`;
const initAnswer = z.object({ root_token: z.string(), keys_base64: z.array(z.string()).length(1) });
const tokenAnswer = z.object({ status: z.object({ token: z.string() }) });

async function labVault(): Promise<VaultUnderTest> {
  const context = await createContext();
  const server = await startVault("vault", context);
  const given: GivenVault = {
    address: `http://127.0.0.1:${server.port}`,
    token: undefined,
    kubernetes: true,
    wraps: false,
    reach: (port) => {
      context.network.listen("127.0.0.1", port, { port });
      return () => context.network.unlisten("127.0.0.1", port);
    },
    close: () => server.stop(),
  };
  const vault = new VaultUnderTest(given);
  const { root_token: root, keys_base64: keys } = initAnswer.parse((await vault.call("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }, "")).body);
  await vault.call("PUT", "sys/unseal", { key: keys[0] }, "");
  vault.root = root;
  return vault;
}

async function givenVault(address: string, tokenFile: string): Promise<VaultUnderTest> {
  const token = fs.readFileSync(tokenFile, "utf8").trim();
  const vault = new VaultUnderTest({
    address,
    token,
    kubernetes: true,
    wraps: true,
    reach: () => () => undefined,
    close: async () => undefined,
  });
  vault.root = token;
  return vault;
}

function logins(cluster: () => RealKubernetes, open: () => Promise<VaultUnderTest>): void {
  let vault: VaultUnderTest;

  async function kubernetes(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await cluster().admin.request({
      origin: cluster().origin,
      path,
      method: method as "POST",
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = await answer.body.json();
    if (answer.statusCode >= 300 && answer.statusCode !== 409) throw new Error(`${method} ${path}: ${JSON.stringify(parsed)}`);
    return parsed;
  }
  const tokenOf = async (namespace: string, name: string, audiences?: string[]): Promise<string> => {
    const spec = { expirationSeconds: 600, ...(audiences === undefined ? {} : { audiences }) };
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    return tokenAnswer.parse(await kubernetes("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, body)).status.token;
  };
  const account = (namespace: string, name: string) => kubernetes("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name } });
  const login = async (jwt: string, role = "app") => vault.call("POST", `auth/${METHOD}/login`, { role, jwt }, "");
  const BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
  const mayReview = () =>
    kubernetes("POST", BINDINGS, {
      metadata: { name: "vault-token-reviewer" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
      subjects: [{ kind: "ServiceAccount", name: "vault-token-reviewer", namespace: "vault-access" }],
    });

  beforeAll(async () => {
    vault = await open();
    vault.given.reach(Number(new URL(cluster().origin).port));
    for (const name of ["app", "other", "vault-access"]) await kubernetes("POST", "/api/v1/namespaces", { metadata: { name } });
    for (const [namespace, name] of [
      ["app", "reader"],
      ["other", "reader"],
      ["vault-access", "vault-token-reviewer"],
    ] as const)
      await account(namespace, name);
    await mayReview();
    await vault.call("POST", `sys/auth/${METHOD}`, { type: "kubernetes" });
    const configured = await vault.call("PUT", `auth/${METHOD}/config`, {
      kubernetes_host: cluster().origin,
      kubernetes_ca_cert: cluster().ca,
      token_reviewer_jwt: await tokenOf("vault-access", "vault-token-reviewer"),
      disable_local_ca_jwt: true,
    });
    expect(configured.status).toBe(204);
    const bound = { bound_service_account_names: "reader", bound_service_account_namespaces: "app" };
    await vault.call("PUT", `auth/${METHOD}/role/app`, { ...bound, token_policies: "read-app" });
    await vault.call("PUT", `auth/${METHOD}/role/audience`, { ...bound, audience: "vault" });
  });
  afterAll(async () => {
    await vault.call("DELETE", `sys/auth/${METHOD}`);
    await vault.close();
  });

  test("the account that the role names logs in, one of another namespace does not", async () => {
    const { status, body } = await login(await tokenOf("app", "reader"));
    expect([status, body["auth"]]).toMatchObject([200, { policies: ["default", "read-app"], metadata: { service_account_namespace: "app" } }]);
    expect(await login(await tokenOf("other", "reader"))).toEqual({ status: 403, body: { errors: ["namespace not authorized"] } });
  });

  test("a token for Vault alone opens the role that wants it", async () => {
    expect((await login(await tokenOf("app", "reader", ["vault"]), "audience")).status).toBe(200);
    expect((await login(await tokenOf("app", "reader"), "audience")).status).toBe(403);
  });

  test("a token that was changed, one of an account that was made anew, and a reviewer that may not ask: no more than that they may not", async () => {
    const denied = { status: 403, body: { errors: ["permission denied"] } };
    const token = await tokenOf("app", "reader");
    expect(await login(`${token.slice(0, token.lastIndexOf(".") + 1)}${Buffer.alloc(256).toString("base64url")}`)).toEqual(denied);
    await kubernetes("DELETE", "/api/v1/namespaces/app/serviceaccounts/reader");
    await account("app", "reader");
    expect(await login(token)).toEqual(denied);
    expect((await login(await tokenOf("app", "reader"))).status).toBe(200);
    await kubernetes("DELETE", `${BINDINGS}/vault-token-reviewer`);
    expect(await login(await tokenOf("app", "reader"))).toEqual(denied);
  });
}

describeReal(["kube-apiserver", "etcd"], "logins of a real cluster's accounts", (pathOf) => {
  let cluster: RealKubernetes;
  beforeAll(async () => {
    cluster = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
  });
  afterAll(() => cluster?.stop());

  describe("to the lab's Vault", () => logins(() => cluster, labVault));
  const [address, tokenFile] = [givenVaultAddress(), givenVaultTokenFile()];
  if (address !== undefined && tokenFile !== undefined)
    describe(`to the Vault at ${address}`, () =>
      logins(
        () => cluster,
        () => givenVault(address, tokenFile),
      ));
});
