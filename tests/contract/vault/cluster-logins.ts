/** Logins of service accounts: the claims of the token, the cluster's review of it, and the answer to a refused client. */
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createAuthority } from "../../../lab/core/tls";
import { Secret } from "../../../providers/sdk/values";
import type { State, TestProvider } from "../../support/test-provider";
import { type Claims, serviceAccountToken } from "./service-account";
import { BACKEND, CONFIG, ROLE, type VaultUnderTest } from "./under-test";

const METHOD = `kubernetes-login${process.pid}`;

const loginAnswer = z.object({
  auth: z.object({
    client_token: z.string(),
    policies: z.array(z.string()),
    lease_duration: z.number(),
    renewable: z.boolean(),
    metadata: z.record(z.string(), z.string()),
  }),
});
const reviewRequest = z.object({ spec: z.object({ token: z.string(), audiences: z.array(z.string()).optional() }) });

/** A cluster's API that answers TokenReviews and nothing else. */
class Reviewer {
  status = 201;
  /** `status` of the TokenReview. */
  says: object = {};
  readonly asked: { bearer: string | undefined; token: string }[] = [];

  private constructor(
    private readonly server: Server,
    readonly ca: string,
  ) {}

  static async start(): Promise<Reviewer> {
    const authority = await createAuthority("conformance");
    const server = createServer(await authority.issue(["127.0.0.1"]), async (request, response) => {
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
      const { token, audiences } = reviewRequest.parse(JSON.parse(text)).spec;
      reviewer.asked.push({ bearer: request.headers.authorization, token });
      response.writeHead(reviewer.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", status: { audiences, ...reviewer.says } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const reviewer = new Reviewer(server, authority.caPem);
    return reviewer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** A TokenReview that accepts the account of {@link serviceAccountToken}. */
const KNOWN = { authenticated: true, user: { username: "system:serviceaccount:app:reader", uid: "uid-of-reader" } };
const another = (namespace: string, name: string, uid = "uid-of-reader"): Claims => ({
  sub: `system:serviceaccount:${namespace}:${name}`,
  "kubernetes.io": { namespace, serviceaccount: { name, uid } },
});

export function clusterLogins(vault: () => VaultUnderTest): void {
  let reviewer: Reviewer;
  let endReach: () => void;
  let plugin: TestProvider;
  let made: [string, State][];
  const reviewerToken = serviceAccountToken(another("vault-access", "vault-token-reviewer"));

  const login = (jwt: string, role = "app") => vault().call("POST", `auth/${METHOD}/login`, { role, jwt }, "");
  const configure = (port: number) =>
    vault().call("PUT", `auth/${METHOD}/config`, {
      kubernetes_host: `https://127.0.0.1:${port}`,
      kubernetes_ca_cert: reviewer.ca,
      token_reviewer_jwt: reviewerToken,
      disable_local_ca_jwt: true,
    });
  const make = async (type: string, news: Parameters<TestProvider["make"]>[1]): Promise<void> => {
    made.push([type, await plugin.make(type, news)]);
  };

  beforeEach(async () => {
    made = [];
    reviewer = await Reviewer.start();
    endReach = vault().given.reach(reviewer.port);
    plugin = await vault().plugin();
    if (!vault().given.kubernetes) return;
    await make(BACKEND, { type: "kubernetes", path: METHOD });
    await make(CONFIG, {
      backend: METHOD,
      kubernetesHost: `https://127.0.0.1:${reviewer.port}`,
      kubernetesCaCert: reviewer.ca,
      tokenReviewerJwt: new Secret(reviewerToken),
      disableLocalCaJwt: true,
    });
    const bound = { boundServiceAccountNames: ["reader"], boundServiceAccountNamespaces: ["app"] };
    await make(ROLE, { backend: METHOD, roleName: "app", ...bound, tokenPolicies: ["read-app"], tokenTtl: 3600 });
    await make(ROLE, { backend: METHOD, roleName: "audience", ...bound, audience: "vault" });
  });
  afterEach(async () => {
    for (const [type, state] of made.toReversed()) await plugin.delete(type, state);
    await plugin.close();
    endReach();
    await reviewer.stop();
  });

  test("an account that its cluster knows gets the role's policies; the cluster is asked with the reviewer's token", async () => {
    if (!vault().given.kubernetes) return;
    reviewer.says = KNOWN;
    const jwt = serviceAccountToken();
    const { status, body } = await login(jwt);
    expect(status).toBe(200);
    const { auth } = loginAnswer.parse(body);
    expect(auth).toMatchObject({
      policies: ["default", "read-app"],
      lease_duration: 3600,
      renewable: true,
      metadata: { role: "app", service_account_name: "reader", service_account_namespace: "app", service_account_uid: "uid-of-reader" },
    });
    expect(reviewer.asked).toEqual([{ bearer: `Bearer ${reviewerToken}`, token: jwt }]);
    const self = await vault().call("GET", "auth/token/lookup-self", undefined, auth.client_token);
    expect(self.body["data"]).toMatchObject({ display_name: `${METHOD}-app-reader`, orphan: true, path: `auth/${METHOD}/login`, creation_ttl: 3600 });
    // Deleting the auth method ends the tokens that it issued.
    await plugin.delete(BACKEND, made[0]?.[1] ?? { id: METHOD, inputs: {}, outputs: {} });
    expect((await vault().call("GET", "auth/token/lookup-self", undefined, auth.client_token)).status).toBe(403);
  });

  test.each<[string, Claims, string]>([
    ["of another namespace", another("other", "reader"), "namespace not authorized"],
    ["of another account", another("app", "other"), "service account name not authorized"],
    ["that has ended", { exp: 1000 }, "invalid expiration time (exp) claim: token is expired"],
  ])("a token %s is refused before its cluster is asked", async (_, claims, why) => {
    if (!vault().given.kubernetes) return;
    reviewer.says = KNOWN;
    expect(await login(serviceAccountToken(claims))).toEqual({ status: 403, body: { errors: [why] } });
    expect(reviewer.asked).toEqual([]);
  });

  test("an audience that the role names must be the token's", async () => {
    if (!vault().given.kubernetes) return;
    reviewer.says = KNOWN;
    expect(await login(serviceAccountToken(), "audience")).toEqual({
      status: 403,
      body: { errors: ["invalid audience (aud) claim: audience claim does not match any expected audience"] },
    });
    expect((await login(serviceAccountToken({ aud: ["vault"] }), "audience")).status).toBe(200);
  });

  test.each<[string, number, object, Claims]>([
    ["does not know the token", 201, { authenticated: false, error: "invalid bearer token" }, {}],
    ["says that it is another account's", 201, { ...KNOWN, user: { username: "system:serviceaccount:other:reader", uid: "uid-of-reader" } }, {}],
    ["knows the account by another number: it was made anew", 201, KNOWN, another("app", "reader", "uid-of-before")],
    ["says that it is a person's", 201, { authenticated: true, user: { username: "admin", uid: "1" } }, {}],
    ["does not know the reviewer", 401, {}, {}],
    ["does not let the reviewer ask", 403, {}, {}],
    ["fails", 500, {}, {}],
  ])("where the cluster %s, the client is told no more than that it may not", async (_, status, says, claims) => {
    if (!vault().given.kubernetes) return;
    Object.assign(reviewer, { status, says });
    expect(await login(serviceAccountToken(claims))).toEqual({ status: 403, body: { errors: ["permission denied"] } });
  });

  test("a cluster that is not there, or shows another authority's certificate, is no reason that a client is told", async () => {
    if (!vault().given.kubernetes) return;
    expect((await configure(1)).status).toBe(204);
    expect(await login(serviceAccountToken())).toEqual({ status: 403, body: { errors: ["permission denied"] } });
    const other = await Reviewer.start();
    const end = vault().given.reach(other.port);
    expect((await configure(other.port)).status).toBe(204);
    expect(await login(serviceAccountToken())).toEqual({ status: 403, body: { errors: ["permission denied"] } });
    expect(other.asked).toEqual([]);
    end();
    await other.stop();
  });

  test("requests that are no valid login", async () => {
    if (!vault().given.kubernetes) return;
    const post = (body: object) => vault().call("POST", `auth/${METHOD}/login`, body, "");
    expect(await post({})).toEqual({ status: 400, body: { errors: ["missing role"] } });
    expect(await post({ role: "app" })).toEqual({ status: 400, body: { errors: ["missing jwt"] } });
    expect(await login(serviceAccountToken(), "nobody")).toEqual({ status: 400, body: { errors: ['invalid role name "nobody"'] } });
    for (const junk of ["junk", "a.b.c"]) expect(await login(junk)).toEqual({ status: 403, body: { errors: ["permission denied"] } });
    expect((await vault().call("GET", `auth/${METHOD}/login`, undefined, "")).status).toBe(405);
    expect((await vault().call("POST", "auth/kubernetes-of-nobody/login", { role: "app", jwt: "a.b.c" }, "")).status).toBe(403);
  });

  test.each<[object, string]>([
    [{ bound_service_account_names: ["a"] }, '"bound_service_account_namespaces" can not be empty'],
    [{ bound_service_account_namespaces: ["a"] }, '"bound_service_account_names" can not be empty'],
    [{ bound_service_account_names: ["*", "a"], bound_service_account_namespaces: ["a"] }, 'can not mix "*" with values'],
    [
      { bound_service_account_names: ["a"], bound_service_account_namespaces: ["a"], token_ttl: 100, token_max_ttl: 50 },
      "'token_ttl' cannot be greater than 'token_max_ttl'",
    ],
    [
      { bound_service_account_names: ["a"], bound_service_account_namespaces: ["a"], alias_name_source: "x" },
      "must be one of: serviceaccount_uid, serviceaccount_name",
    ],
  ])("a role with %j is refused", async (body, why) => {
    if (!vault().given.kubernetes) return;
    expect(await vault().call("PUT", `auth/${METHOD}/role/bad`, body)).toEqual({ status: 400, body: { errors: [expect.stringContaining(why)] } });
    expect((await vault().call("GET", `auth/${METHOD}/role/bad`)).status).toBe(404);
  });

  test("a configuration: a host is needed, and an authority is a block of PEM; nothing else is looked at", async () => {
    if (!vault().given.kubernetes) return;
    const put = (body: object) => vault().call("PUT", `auth/${METHOD}/config`, body);
    expect(await put({})).toEqual({ status: 400, body: { errors: ["no host provided"] } });
    expect(await put({ kubernetes_host: "https://127.0.0.1:1", disable_local_ca_jwt: true, kubernetes_ca_cert: "PEM" })).toEqual({
      status: 400,
      body: { errors: ["The provided CA PEM data contains no valid certificates"] },
    });
    expect((await put({ kubernetes_host: "https://127.0.0.1:1", disable_local_ca_jwt: true })).status).toBe(204);
    const block = "-----BEGIN X-----\nYWJj\n-----END X-----\n";
    const junk = { kubernetes_host: "https://127.0.0.1:1", disable_local_ca_jwt: true, kubernetes_ca_cert: block, token_reviewer_jwt: "jwt" };
    expect((await put(junk)).status).toBe(204);
    expect((await vault().call("GET", `auth/${METHOD}/config`)).body["data"]).toMatchObject({
      kubernetes_host: "https://127.0.0.1:1",
      kubernetes_ca_cert: block,
      disable_local_ca_jwt: true,
      disable_iss_validation: true,
      issuer: "",
      pem_keys: [],
      token_reviewer_jwt_set: true,
    });
  });
}
