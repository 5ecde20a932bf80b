/** Logins of Kubernetes service accounts: configuration, roles, and the request to the cluster that verifies a token. */
import { request as httpsRequest } from "node:https";
import { checkServerIdentity } from "node:tls";
import { z } from "zod";
import { type Answer, type Call, type Core, SYSTEM_TTL } from "./core";
import { badRequest, notFound, unsupported, VaultError } from "./errors";
import type { KubernetesConfig } from "./state";
import type { Tokens } from "./tokens";
import { flag, list, seconds, text } from "./values";

const reviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    user: z.object({ username: z.string().optional(), uid: z.string().optional() }).default({}),
  }),
});
/** The claims of a service account's token. */
const claimsSchema = z.object({
  aud: z.union([z.string(), z.array(z.string())]).default([]),
  exp: z.number().optional(),
  nbf: z.number().optional(),
  "kubernetes.io": z.object({ namespace: z.string(), serviceaccount: z.object({ name: z.string(), uid: z.string() }) }),
});
type Claims = z.infer<typeof claimsSchema>;

const LISTS = ["bound_service_account_names", "bound_service_account_namespaces", "token_bound_cidrs", "token_policies"];
const TIMES = ["token_ttl", "token_max_ttl", "token_explicit_max_ttl", "token_period"];
/** Older names of a role's fields. */
const ALIASES: Record<string, string> = {
  policies: "token_policies",
  ttl: "token_ttl",
  max_ttl: "token_max_ttl",
  period: "token_period",
  num_uses: "token_num_uses",
  bound_cidrs: "token_bound_cidrs",
};
const UNMODELLED_ROLE = ["bound_service_account_namespace_selector", "alias_metadata"];

/** Seconds that clocks may differ. */
const LEEWAY = 150;
const ALIAS_SOURCES = ["serviceaccount_uid", "serviceaccount_name"];

const forbidden = (message: string): VaultError => new VaultError(403, message);

/** `*` anywhere stands for anything, as in Vault's globs. */
function covers(patterns: readonly string[], value: string): boolean {
  return patterns.some((pattern) => new RegExp(`^${pattern.replace(/[.?+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(value));
}

export class KubernetesAuth {
  constructor(
    private readonly core: Core,
    private readonly tokens: Tokens,
  ) {}

  /** @param mount with a slash at its end; @param rest path below it */
  async handle(mount: string, rest: string, call: Call): Promise<Answer> {
    if (rest === "config") return this.#config(mount, call);
    const role = /^role(?:\/(.*))?$/.exec(rest);
    if (role !== null) return this.#role(mount, role[1] ?? "", call);
    if (rest === "login") return this.login(mount, call);
    throw this.core.notModelled(`${call.method} /v1/auth/${mount}${rest}`);
  }

  /** Whether a role exists: then a write of it is an "update", otherwise a "create". */
  hasRole(mount: string, rest: string): boolean {
    return this.core.state.authRoles[mount]?.[rest.slice("role/".length)] !== undefined;
  }

  #config(mount: string, { method, body }: Call): Answer {
    const { state } = this.core;
    if (method === "GET") {
      const config = state.authConfigs[mount];
      if (config === undefined) throw notFound();
      return {
        data: {
          disable_iss_validation: config.disableIssuerValidation,
          disable_local_ca_jwt: config.disableLocal,
          issuer: config.issuer,
          kubernetes_ca_cert: config.caPem,
          kubernetes_host: config.host,
          pem_keys: config.pemKeys,
          token_reviewer_jwt_set: config.reviewerJwt !== "",
          use_annotations_as_alias_metadata: config.annotationsAsMetadata,
        },
      };
    }
    if (method !== "POST" && method !== "PUT") throw unsupported();
    const host = text(body["kubernetes_host"]);
    if (host === "") throw badRequest("no host provided");
    const config: KubernetesConfig = {
      host,
      caPem: text(body["kubernetes_ca_cert"]),
      reviewerJwt: text(body["token_reviewer_jwt"]),
      disableLocal: flag(body["disable_local_ca_jwt"]),
      disableIssuerValidation: body["disable_iss_validation"] === undefined ? true : flag(body["disable_iss_validation"]),
      issuer: text(body["issuer"]),
      pemKeys: list(body["pem_keys"]),
      annotationsAsMetadata: flag(body["use_annotations_as_alias_metadata"]),
    };
    // One block of PEM is enough, whatever it holds.
    if (config.caPem !== "" && !/-----BEGIN ([^-]+)-----[\s\S]*?-----END \1-----/.test(config.caPem))
      throw badRequest("The provided CA PEM data contains no valid certificates");
    if (!config.disableLocal && config.caPem === "" && this.core.pod === undefined)
      throw badRequest("open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory");
    if (config.pemKeys.length > 0) throw this.core.notModelled("kubernetes auth with pem_keys", badRequest("pem_keys are not modelled by the lab"));
    if (JSON.stringify(state.authConfigs[mount]) === JSON.stringify(config)) return undefined;
    state.authConfigs[mount] = config;
    this.core.record("write", `auth-config ${mount}`);
    return undefined;
  }

  #role(mount: string, name: string, { method, body }: Call): Answer {
    const { state } = this.core;
    const roles = state.authRoles[mount] ?? {};
    state.authRoles[mount] = roles;
    if (name === "") {
      if (method !== "LIST") throw unsupported();
      if (Object.keys(roles).length === 0) throw notFound();
      return { data: { keys: Object.keys(roles).sort() } };
    }
    const existing = roles[name];
    switch (method) {
      case "GET":
        if (existing === undefined) throw notFound();
        return { data: existing };
      case "DELETE":
        if (existing === undefined) return undefined;
        delete roles[name];
        break;
      case "POST":
      case "PUT": {
        const next = this.#merged(existing, body);
        if (JSON.stringify(next) === JSON.stringify(existing)) return this.#audienceWarning(name, next);
        roles[name] = next;
        this.core.record("write", `auth-role ${mount}${name}`);
        return this.#audienceWarning(name, next);
      }
      default:
        throw unsupported();
    }
    this.core.record("write", `auth-role ${mount}${name}`);
    return undefined;
  }

  #audienceWarning(name: string, role: Record<string, unknown>): Answer {
    if (text(role["audience"]) !== "") return undefined;
    const advice = "While audiences are not required, consider specifying one if your use case would benefit from additional JWT claim verification.";
    return { warnings: [`Role ${name} does not have an audience configured. ${advice}`] };
  }

  #merged(existing: Record<string, unknown> | undefined, given: Record<string, unknown>): Record<string, unknown> {
    const body = Object.fromEntries(Object.entries(given).map(([key, value]) => [ALIASES[key] ?? key, value]));
    for (const key of UNMODELLED_ROLE)
      if (body[key] && JSON.stringify(body[key]) !== "{}")
        throw this.core.notModelled(`kubernetes role with ${key}`, badRequest(`${key} is not modelled by the lab`));
    const known: Record<string, unknown> = existing ?? {};
    const lists = Object.fromEntries(LISTS.map((key) => [key, body[key] === undefined ? (known[key] ?? []) : list(body[key])]));
    const times = Object.fromEntries(TIMES.map((key) => [key, body[key] === undefined ? (known[key] ?? 0) : seconds(body[key])]));
    const audience = text(body["audience"] ?? known["audience"]);
    const bound = [lists["bound_service_account_names"], lists["bound_service_account_namespaces"]] as string[][];
    if (bound.some((names) => names.includes("*") && names.length > 1)) throw badRequest('can not mix "*" with values');
    if ((lists["bound_service_account_names"] as string[]).length === 0) throw badRequest(`"bound_service_account_names" can not be empty`);
    if ((lists["bound_service_account_namespaces"] as string[]).length === 0)
      throw badRequest(`"bound_service_account_namespaces" can not be empty if "bound_service_account_namespace_selector" is not set`);
    const [ttl, max] = [Number(times["token_ttl"]), Number(times["token_max_ttl"])];
    if (max > 0 && ttl > max) throw badRequest("'token_ttl' cannot be greater than 'token_max_ttl'");
    const source = text(body["alias_name_source"] ?? known["alias_name_source"]) || "serviceaccount_uid";
    if (!ALIAS_SOURCES.includes(source)) throw badRequest(`invalid alias_name_source "${source}", must be one of: ${ALIAS_SOURCES.join(", ")}`);
    return {
      alias_name_source: source,
      ...(audience === "" ? {} : { audience }),
      bound_service_account_namespace_selector: "",
      ...lists,
      ...times,
      token_no_default_policy: flag(body["token_no_default_policy"] ?? known["token_no_default_policy"]),
      token_num_uses: Number(body["token_num_uses"] ?? known["token_num_uses"] ?? 0),
      token_type: text(body["token_type"] ?? known["token_type"]) || "default",
    };
  }

  async login(mount: string, { method, body }: Call): Promise<Answer> {
    if (method !== "POST" && method !== "PUT") throw new VaultError(405, "unsupported operation");
    const roleName = text(body["role"]);
    const jwt = text(body["jwt"]);
    if (roleName === "") throw badRequest("missing role");
    const role = this.core.state.authRoles[mount]?.[roleName];
    if (role === undefined) throw badRequest(`invalid role name "${roleName}"`);
    if (jwt === "") throw badRequest("missing jwt");
    const config = this.core.state.authConfigs[mount];
    if (config === undefined) throw new VaultError(500, "could not load backend configuration");
    const audience = text(role["audience"]);
    // The token's own claims are checked first. The cluster's review must then agree with them.
    const {
      namespace,
      serviceaccount: { name, uid },
    } = this.#claims(jwt, audience)["kubernetes.io"];
    if (!covers(list(role["bound_service_account_names"]), name)) throw forbidden("service account name not authorized");
    if (!covers(list(role["bound_service_account_namespaces"]), namespace)) throw forbidden("namespace not authorized");
    await this.#review(config, jwt, audience, { namespace, name, uid });
    const policies = list(role["token_policies"]);
    const ttl = seconds(role["token_ttl"]) || SYSTEM_TTL;
    const max = seconds(role["token_max_ttl"]);
    this.core.record("read", `login ${mount}${roleName}`);
    return this.tokens.issue({
      policies: [...new Set(flag(role["token_no_default_policy"]) ? policies : ["default", ...policies])].sort(),
      path: `auth/${mount}login`,
      displayName: `${mount.slice(0, -1)}-${namespace}-${name}`,
      ttl: max > 0 ? Math.min(ttl, max) : ttl,
      period: seconds(role["token_period"]),
      explicitMaxTtl: seconds(role["token_explicit_max_ttl"]),
      uses: Number(role["token_num_uses"] ?? 0),
      parent: null,
      metadata: { role: roleName, service_account_name: name, service_account_namespace: namespace, service_account_secret_name: "", service_account_uid: uid },
    });
  }

  #claims(jwt: string, audience: string): Claims {
    const [, payload] = jwt.split(".");
    let claims: Claims;
    try {
      claims = claimsSchema.parse(JSON.parse(Buffer.from(payload ?? "", "base64url").toString("utf8")));
    } catch {
      // It is not a token of a service account; Vault says no more than this.
      throw forbidden("permission denied");
    }
    const now = this.core.now();
    if (claims.exp !== undefined && claims.exp <= now - LEEWAY) throw forbidden("invalid expiration time (exp) claim: token is expired");
    if (claims.nbf !== undefined && claims.nbf > now + LEEWAY) throw forbidden("invalid not before (nbf) claim: token not yet valid");
    if (audience !== "" && ![claims.aud].flat().includes(audience))
      throw forbidden("invalid audience (aud) claim: audience claim does not match any expected audience");
    return claims;
  }

  /** Asks the cluster by TokenReview. Vault does not tell a refused client why, not even if the cluster does not answer. */
  async #review(config: KubernetesConfig, jwt: string, audience: string, wanted: { namespace: string; name: string; uid: string }): Promise<void> {
    const { ctx, pod } = this.core;
    const inCluster = /^https:\/\/kubernetes\.default(\.svc(\.cluster\.local)?)?(:443)?\/?$/.test(config.host);
    const host = new URL(inCluster && pod !== undefined ? pod.api : config.host);
    const port = Number(host.port || 443);
    const local = ctx.network.resolve(host.hostname, port);
    if (local === undefined) throw forbidden("permission denied");
    const useLocal = !config.disableLocal && pod !== undefined;
    const ca = config.caPem || (useLocal ? pod.caPem : "");
    const reviewer = config.reviewerJwt || (useLocal ? pod.token() : jwt);
    const spec = { token: jwt, ...(audience === "" ? {} : { audiences: [audience] }) };
    const { status, text: answer } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpsRequest({
        host: "127.0.0.1",
        port: local.port,
        method: "POST",
        path: "/apis/authentication.k8s.io/v1/tokenreviews",
        headers: { "content-type": "application/json", authorization: `Bearer ${reviewer}` },
        ...(ca === "" ? {} : { ca }),
        checkServerIdentity: (_, certificate) => checkServerIdentity(host.hostname, certificate),
        agent: false,
      });
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      });
      request.on("error", () => reject(forbidden("permission denied")));
      request.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec }));
    });
    if (status !== 201 && status !== 200) throw forbidden("permission denied");
    const { data: review } = reviewSchema.safeParse(JSON.parse(answer));
    const user = `system:serviceaccount:${wanted.namespace}:${wanted.name}`;
    if (review?.status.authenticated !== true || review.status.user.username !== user || review.status.user.uid !== wanted.uid)
      throw forbidden("permission denied");
  }
}
