/** A Vault server (API of 1.18): init and seal, mounts, policies, tokens, KV 2, Kubernetes logins. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { LabContext } from "../core/world";
import { denied, VaultError } from "./errors";
import { kv } from "./kv";
import { capabilitiesOn, parsePolicy, type Rule } from "./policy";
import { type VaultMount, type VaultState, type VaultToken, vaultStateSchema } from "./state";

const VERSION = "1.18.1";

export interface VaultServer {
  /** Local port of its plain HTTP listener. */
  port: number;
  readonly sealed: boolean;
  save(): unknown;
  stop(): Promise<void>;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const mountOf = (type: string, description = "", options: Record<string, string> | null = null): VaultMount => ({
  type,
  description,
  options,
  config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
  accessor: `${type}_${randomBytes(4).toString("hex")}`,
  uuid: randomUUID(),
});

function emptyState(): VaultState {
  return {
    initialized: false,
    sealed: true,
    keyHashes: [],
    threshold: 0,
    progress: [],
    clusterId: randomUUID(),
    mounts: {},
    auths: {},
    policies: {},
    audits: {},
    tokens: [],
    kv: {},
    authConfigs: {},
    authRoles: {},
  };
}

/** `768h`, `30m`, `3600` → seconds */
export function seconds(value: unknown): number {
  if (typeof value === "number") return value;
  const match = /^(\d+)([smhd]?)$/.exec(String(value ?? ""));
  return match === null ? 0 : Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400, "": 1 }[match[2] as "s" | "m" | "h" | "d" | ""];
}

interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
  query: URLSearchParams;
  token: VaultToken | undefined;
}

type Answer = Record<string, unknown> | undefined;

class Vault {
  readonly state: VaultState;

  constructor(
    private readonly name: string,
    private readonly ctx: LabContext,
    private readonly onSealChange: () => void,
    saved: unknown,
  ) {
    this.state = saved === undefined ? emptyState() : vaultStateSchema.parse(saved);
  }

  #now(): string {
    return new Date(this.ctx.clock.now()).toISOString();
  }

  #record(kind: "read" | "write", action: string): void {
    this.ctx.records.add({ system: "vault", target: this.name, kind, action });
    if (kind === "write") this.ctx.changed();
  }

  // ---- seal

  #sealStatus(): Record<string, unknown> {
    const { initialized, sealed, threshold, keyHashes, progress, clusterId } = this.state;
    return {
      type: "shamir",
      initialized,
      sealed,
      t: threshold,
      n: keyHashes.length,
      progress: progress.length,
      nonce: "",
      version: VERSION,
      build_date: "2024-10-29T14:21:31Z",
      migration: false,
      recovery_seal: false,
      storage_type: "file",
      ...(sealed ? {} : { cluster_name: "vault-cluster", cluster_id: clusterId }),
    };
  }

  #init(body: Record<string, unknown>): Answer {
    const { state } = this;
    if (state.initialized) throw new VaultError(400, "Vault is already initialized");
    const shares = Number(body["secret_shares"] ?? 5);
    const threshold = Number(body["secret_threshold"] ?? 3);
    if (!(shares >= 1 && threshold >= 1 && threshold <= shares))
      throw new VaultError(400, "invalid seal configuration: threshold must be between one and shares");
    const keys = Array.from({ length: shares }, () => randomBytes(33));
    const root = `hvs.${randomBytes(18).toString("base64url")}`;
    Object.assign(state, { initialized: true, sealed: true, keyHashes: keys.map((key) => hash(key.toString("base64"))), threshold });
    state.mounts = {
      "cubbyhole/": mountOf("cubbyhole", "per-token private secret storage"),
      "identity/": mountOf("identity", "identity store"),
      "sys/": mountOf("system", "system endpoints used for control, policy and debugging"),
    };
    state.auths = { "token/": mountOf("token", "token based credentials") };
    state.policies = {
      default:
        'path "auth/token/lookup-self" { capabilities = ["read"] }\npath "auth/token/renew-self" { capabilities = ["update"] }\npath "auth/token/revoke-self" { capabilities = ["update"] }\npath "sys/capabilities-self" { capabilities = ["update"] }',
    };
    this.#addToken(root, {
      policies: ["root"],
      displayName: "root",
      ttl: 0,
      period: 0,
      renewable: false,
      orphan: true,
      path: "auth/token/root",
      metadata: null,
    });
    this.#record("write", "init");
    return { keys: keys.map((key) => key.toString("hex")), keys_base64: keys.map((key) => key.toString("base64")), root_token: root };
  }

  #unseal(body: Record<string, unknown>): Answer {
    const { state } = this;
    if (!state.initialized) throw new VaultError(400, "Vault is not initialized");
    if (body["reset"] === true) state.progress = [];
    else if (state.sealed) {
      const given = String(body["key"] ?? "");
      const key = /^[0-9a-f]+$/i.test(given) ? Buffer.from(given, "hex").toString("base64") : given;
      const id = hash(key);
      if (!state.keyHashes.includes(id)) throw new VaultError(400, "Unseal failed, invalid key");
      if (!state.progress.includes(id)) state.progress.push(id);
      if (state.progress.length >= state.threshold) {
        state.sealed = false;
        state.progress = [];
        this.#record("write", "unseal");
        this.onSealChange();
      }
    }
    return this.#sealStatus();
  }

  // ---- tokens

  #addToken(id: string, facts: Omit<VaultToken, "hash" | "accessor" | "created" | "expires">): VaultToken {
    const created = Math.floor(this.ctx.clock.now() / 1000);
    const token: VaultToken = {
      ...facts,
      hash: hash(id),
      accessor: randomBytes(12).toString("base64url"),
      created,
      expires: facts.ttl > 0 ? created + facts.ttl : null,
    };
    this.state.tokens.push(token);
    return token;
  }

  findToken(id: string): VaultToken | undefined {
    const found = this.state.tokens.find((token) => token.hash === hash(id));
    return found === undefined || (found.expires !== null && found.expires * 1000 < this.ctx.clock.now()) ? undefined : found;
  }

  #issue(facts: Omit<VaultToken, "hash" | "accessor" | "created" | "expires">): Answer {
    const id = `hvs.${randomBytes(18).toString("base64url")}`;
    const token = this.#addToken(id, facts);
    return {
      auth: {
        client_token: id,
        accessor: token.accessor,
        policies: facts.policies,
        token_policies: facts.policies,
        metadata: facts.metadata,
        lease_duration: facts.ttl,
        renewable: facts.renewable,
        entity_id: "",
        token_type: "service",
        orphan: facts.orphan,
        mfa_requirement: null,
        num_uses: 0,
      },
    };
  }

  #tokenData(token: VaultToken): Record<string, unknown> {
    const ttl = token.expires === null ? 0 : Math.max(0, token.expires - Math.floor(this.ctx.clock.now() / 1000));
    return {
      accessor: token.accessor,
      creation_time: token.created,
      creation_ttl: token.ttl,
      display_name: token.displayName,
      entity_id: "",
      expire_time: token.expires === null ? null : new Date(token.expires * 1000).toISOString(),
      explicit_max_ttl: 0,
      meta: token.metadata,
      num_uses: 0,
      orphan: token.orphan,
      path: token.path,
      policies: token.policies,
      renewable: token.renewable,
      ttl,
      type: "service",
      ...(token.period > 0 ? { period: token.period } : {}),
    };
  }

  #tokens({ path, body, token, method }: Call): Answer {
    const operation = path.slice("auth/token/".length);
    const own = token as VaultToken;
    switch (operation) {
      case "create":
      case "create-orphan": {
        const wanted = Array.isArray(body["policies"]) ? body["policies"].map(String) : own.policies;
        const policies = [...new Set(wanted.includes("root") || body["no_default_policy"] === true ? wanted : ["default", ...wanted])].sort();
        const period = seconds(body["period"]);
        const ttl = period || seconds(body["ttl"]) || 2_764_800;
        this.#record("write", `token-create ${String(body["display_name"] ?? "")}`);
        return this.#issue({
          policies,
          displayName: `token${body["display_name"] ? `-${String(body["display_name"])}` : ""}`,
          ttl,
          period,
          renewable: body["renewable"] !== false,
          orphan: body["no_parent"] === true || operation === "create-orphan",
          path: "auth/token/create",
          metadata: (body["meta"] as Record<string, string> | undefined) ?? null,
        });
      }
      case "lookup-self":
        return { data: { ...this.#tokenData(own), id: "" } };
      case "lookup": {
        const found = this.findToken(String(body["token"] ?? ""));
        if (found === undefined) throw new VaultError(403, "bad token");
        return { data: { ...this.#tokenData(found), id: body["token"] } };
      }
      case "lookup-accessor": {
        const found = this.state.tokens.find((t) => t.accessor === body["accessor"]);
        if (found === undefined) throw new VaultError(403, "invalid accessor");
        return { data: { ...this.#tokenData(found), id: "" } };
      }
      case "renew-self":
      case "renew":
      case "renew-accessor": {
        const found =
          operation === "renew-self"
            ? own
            : operation === "renew"
              ? this.findToken(String(body["token"] ?? ""))
              : this.state.tokens.find((t) => t.accessor === body["accessor"]);
        if (found === undefined) throw new VaultError(403, "bad token");
        if (found.expires !== null) found.expires = Math.floor(this.ctx.clock.now() / 1000) + (found.period || found.ttl);
        return {
          auth: {
            client_token: "",
            accessor: found.accessor,
            policies: found.policies,
            token_policies: found.policies,
            metadata: found.metadata,
            lease_duration: found.ttl,
            renewable: found.renewable,
          },
        };
      }
      case "revoke-self":
      case "revoke":
      case "revoke-accessor": {
        const gone =
          operation === "revoke-self"
            ? own
            : operation === "revoke"
              ? this.findToken(String(body["token"] ?? ""))
              : this.state.tokens.find((t) => t.accessor === body["accessor"]);
        this.state.tokens = this.state.tokens.filter((t) => t !== gone);
        this.#record("write", "token-revoke");
        return undefined;
      }
      default:
        return this.#unknown(method, path);
    }
  }

  // ---- system

  #mounts(kind: "mounts" | "auths", { method, body }: Call, rest: string): Answer {
    const table = this.state[kind];
    if (rest === "") return { data: table, ...table };
    const tune = rest.endsWith("/tune");
    const key = `${(tune ? rest.slice(0, -"/tune".length) : rest).replace(/\/+$/, "")}/`;
    const existing = table[key];
    if (tune) {
      if (existing === undefined) throw new VaultError(400, `cannot fetch sysview for path "${key}"`);
      if (method === "GET")
        return {
          data: {
            ...existing.config,
            description: existing.description,
            options: existing.options,
            token_type: kind === "auths" ? "default-service" : undefined,
          },
        };
      if (typeof body["description"] === "string" && body["description"] !== existing.description) {
        existing.description = body["description"];
        this.#record("write", `tune ${key}`);
      }
      return undefined;
    }
    if (method === "GET") {
      if (existing === undefined) throw new VaultError(400, kind === "mounts" ? `No secret engine mount at ${key}` : `No auth engine at ${key}`);
      return { data: existing, ...existing };
    }
    if (method === "DELETE") {
      delete table[key];
      delete this.state.kv[key];
      delete this.state.authConfigs[key];
      delete this.state.authRoles[key];
      this.#record("write", `${kind === "mounts" ? "unmount" : "disable-auth"} ${key}`);
      return undefined;
    }
    if (existing !== undefined) throw new VaultError(400, `path is already in use at ${key}`);
    const type = String(body["type"] ?? "");
    table[key] = mountOf(
      type === "kv-v2" ? "kv" : type,
      String(body["description"] ?? ""),
      type === "kv-v2" ? { version: "2" } : ((body["options"] as Record<string, string> | undefined) ?? null),
    );
    this.#record("write", `${kind === "mounts" ? "mount" : "enable-auth"} ${key}`);
    return undefined;
  }

  #policy({ method, body }: Call, name: string): Answer {
    const { policies } = this.state;
    if (name === "") return { data: { keys: ["root", ...Object.keys(policies)].sort(), policies: ["root", ...Object.keys(policies)].sort() } };
    if (method === "GET") {
      const policy = policies[name];
      if (policy === undefined) throw new VaultError(404);
      return { data: { name, policy, rules: policy } };
    }
    if (method === "DELETE") delete policies[name];
    else {
      const text = String(body["policy"] ?? body["rules"] ?? "");
      try {
        parsePolicy(text);
      } catch (cause) {
        throw new VaultError(400, cause instanceof Error ? cause.message : String(cause));
      }
      if (policies[name] === text) return undefined;
      policies[name] = text;
    }
    this.#record("write", `policy ${name}`);
    return undefined;
  }

  // ---- kubernetes logins

  async #review(config: Record<string, unknown>, jwt: string, audience: string | undefined): Promise<{ namespace: string; name: string }> {
    const host = new URL(String(config["kubernetes_host"]));
    const local = this.ctx.network.resolve(host.hostname, Number(host.port || 443));
    if (local === undefined) throw new VaultError(500, `Post "${host.href}": connect: connection refused`);
    const body = JSON.stringify({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token: jwt, ...(audience ? { audiences: [audience] } : {}) },
    });
    const text = await new Promise<string>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port: local.port,
          method: "POST",
          path: "/apis/authentication.k8s.io/v1/tokenreviews",
          ca: String(config["kubernetes_ca_cert"] ?? ""),
          servername: "localhost",
          headers: { authorization: `Bearer ${String(config["token_reviewer_jwt"] || jwt)}`, "content-type": "application/json", "user-agent": "vault" },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        },
      );
      request.on("error", (cause) => reject(new VaultError(500, cause.message)));
      request.end(body);
    });
    const status = (JSON.parse(text) as { status?: { authenticated?: boolean; user?: { username?: string } } }).status;
    const [, , namespace, name] = (status?.user?.username ?? "").split(":");
    if (status?.authenticated !== true || namespace === undefined || name === undefined) throw denied();
    return { namespace, name };
  }

  async #kubernetes(mount: string, rest: string, call: Call): Promise<Answer> {
    const { method, body } = call;
    const roles = this.state.authRoles[mount] ?? {};
    this.state.authRoles[mount] = roles;
    if (rest === "config") {
      if (method === "GET") {
        const config = this.state.authConfigs[mount];
        if (config === undefined) throw new VaultError(404);
        const { token_reviewer_jwt: jwt, ...shown } = config;
        return {
          data: {
            disable_local_ca_jwt: false,
            disable_iss_validation: true,
            issuer: "",
            kubernetes_ca_cert: "",
            pem_keys: [],
            use_annotations_as_alias_metadata: false,
            ...shown,
            token_reviewer_jwt_set: Boolean(jwt),
          },
        };
      }
      this.state.authConfigs[mount] = { ...body };
      this.#record("write", `auth-config ${mount}`);
      return undefined;
    }
    if (rest === "login") {
      const role = roles[String(body["role"])];
      if (role === undefined) throw new VaultError(400, `invalid role name "${String(body["role"])}"`);
      const audience = typeof role["audience"] === "string" && role["audience"] !== "" ? role["audience"] : undefined;
      const { namespace, name } = await this.#review(this.state.authConfigs[mount] ?? {}, String(body["jwt"] ?? ""), audience);
      const allows = (list: unknown, value: string): boolean =>
        (Array.isArray(list) ? list : String(list ?? "").split(",")).some((item) => item === "*" || item === value);
      if (!allows(role["bound_service_account_names"], name)) throw new VaultError(403, "service account name not authorized");
      if (!allows(role["bound_service_account_namespaces"], namespace)) throw new VaultError(403, "namespace not authorized");
      const listed = role["token_policies"] ?? role["policies"] ?? [];
      const policies = [...new Set(["default", ...(Array.isArray(listed) ? listed.map(String) : String(listed).split(","))])].sort();
      this.#record("read", `login ${mount}${String(body["role"])}`);
      return this.#issue({
        policies,
        displayName: `${mount.slice(0, -1)}-${namespace}-${name}`,
        ttl: seconds(role["token_ttl"]) || 3600,
        period: 0,
        renewable: true,
        orphan: true,
        path: `auth/${mount}login`,
        metadata: { role: String(body["role"]), service_account_name: name, service_account_namespace: namespace },
      });
    }
    const name = /^role(?:\/(.*))?$/.exec(rest)?.[1];
    if (rest === "role" && method === "LIST") return { data: { keys: Object.keys(roles) } };
    if (name === undefined || name === "") return this.#unknown(method, `auth/${mount}${rest}`);
    if (method === "GET") {
      const role = roles[name];
      if (role === undefined) throw new VaultError(404);
      const list = (value: unknown): string[] =>
        Array.isArray(value) ? value.map(String) : value === undefined || value === "" ? [] : String(value).split(",");
      return {
        data: {
          alias_name_source: "serviceaccount_uid",
          token_bound_cidrs: [],
          token_explicit_max_ttl: 0,
          token_max_ttl: 0,
          token_no_default_policy: false,
          token_num_uses: 0,
          token_period: 0,
          token_type: "default",
          ...role,
          token_ttl: seconds(role["token_ttl"]),
          token_policies: list(role["token_policies"]),
          bound_service_account_names: list(role["bound_service_account_names"]),
          bound_service_account_namespaces: list(role["bound_service_account_namespaces"]),
        },
      };
    }
    if (method === "DELETE") delete roles[name];
    else roles[name] = { ...roles[name], ...body };
    this.#record("write", `auth-role ${mount}${name}`);
    return undefined;
  }

  // ---- dispatch

  #unknown(method: string, path: string): never {
    this.ctx.unhandled.add({ system: "vault", target: this.name, what: `${method} /v1/${path}` });
    throw new VaultError(404, `no handler for route "${path}". route entry not found.`);
  }

  #rules(token: VaultToken): Rule[] {
    return token.policies.flatMap((name) => parsePolicy(this.state.policies[name] ?? ""));
  }

  #require(call: Call): void {
    const { token, path, method } = call;
    if (token === undefined) throw denied();
    if (token.policies.includes("root")) return;
    const allowed = capabilitiesOn(this.#rules(token), path);
    const wanted =
      method === "GET" ? ["read"] : method === "LIST" ? ["list"] : method === "DELETE" ? ["delete"] : method === "PATCH" ? ["patch"] : ["create", "update"];
    if (!wanted.some((capability) => allowed.includes(capability))) throw denied();
  }

  async answer(call: Call): Promise<{ status: number; body: Answer }> {
    const { path, method } = call;
    const open = await this.#unauthenticated(call);
    if (open !== undefined) return open;
    if (!this.state.initialized || this.state.sealed) throw new VaultError(503, "Vault is sealed");
    const login = /^auth\/(.+\/)login$/.exec(path);
    if (login?.[1] !== undefined && this.state.auths[login[1]]?.type === "kubernetes" && method !== "GET")
      return { status: 200, body: await this.#kubernetes(login[1], "login", call) };
    this.#require(call);
    const result = await this.#route(call);
    return { status: result === undefined ? 204 : 200, body: result };
  }

  async #unauthenticated({ path, method, body, query }: Call): Promise<{ status: number; body: Answer } | undefined> {
    const { initialized, sealed } = this.state;
    const ok = (answer: Answer) => ({ status: 200, body: answer });
    switch (path) {
      case "sys/health": {
        const status = !initialized ? Number(query.get("uninitcode") ?? 501) : sealed ? Number(query.get("sealedcode") ?? 503) : 200;
        return {
          status,
          body: {
            initialized,
            sealed,
            standby: false,
            performance_standby: false,
            replication_performance_mode: "disabled",
            replication_dr_mode: "disabled",
            server_time_utc: Math.floor(this.ctx.clock.now() / 1000),
            version: VERSION,
            enterprise: false,
            cluster_name: "vault-cluster",
            cluster_id: this.state.clusterId,
          },
        };
      }
      case "sys/seal-status":
        return ok(this.#sealStatus());
      case "sys/init":
        return ok(method === "GET" ? { initialized } : this.#init(body));
      case "sys/unseal":
        return ok(this.#unseal(body));
      case "sys/leader":
        return ok({ ha_enabled: false, is_self: false, leader_address: "" });
      default:
        return undefined;
    }
  }

  async #route(call: Call): Promise<Answer> {
    const { path, method, body, query } = call;
    if (path.startsWith("auth/token/")) return this.#tokens(call);
    if (path === "sys/seal") {
      this.state.sealed = true;
      this.#record("write", "seal");
      this.onSealChange();
      return undefined;
    }
    if (path === "sys/mounts" || path.startsWith("sys/mounts/auth/"))
      return path === "sys/mounts" ? this.#mounts("mounts", call, "") : this.#mounts("auths", call, path.slice("sys/mounts/auth/".length));
    if (path.startsWith("sys/mounts/")) return this.#mounts("mounts", call, path.slice("sys/mounts/".length));
    if (path === "sys/auth") return this.#mounts("auths", call, "");
    if (path.startsWith("sys/auth/")) return this.#mounts("auths", call, path.slice("sys/auth/".length));
    const policy = /^sys\/(?:policies\/acl|policy)(?:\/(.*))?$/.exec(path);
    if (policy !== null) return this.#policy(call, policy[1] ?? "");
    const internal = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(path)?.[1];
    if (internal !== undefined) {
      const key = Object.keys(this.state.mounts).find((mount) => `${internal}/`.startsWith(mount));
      if (key === undefined) throw denied();
      return { data: { path: key, ...this.state.mounts[key] } };
    }
    if (path === "sys/capabilities-self") {
      const paths = Array.isArray(body["paths"]) ? body["paths"].map(String) : [String(body["path"] ?? "")];
      const token = call.token as VaultToken;
      const of = (p: string): string[] =>
        token.policies.includes("root") ? ["root"] : capabilitiesOn(this.#rules(token), p).length > 0 ? capabilitiesOn(this.#rules(token), p) : ["deny"];
      return { data: Object.fromEntries(paths.map((p) => [p, of(p)])) };
    }
    if (path === "sys/audit") return { data: this.state.audits };
    const audit = /^sys\/audit\/(.+)$/.exec(path)?.[1];
    if (audit !== undefined) {
      if (method === "DELETE") delete this.state.audits[`${audit}/`];
      else this.state.audits[`${audit}/`] = { ...body, path: `${audit}/` };
      this.#record("write", `audit ${audit}`);
      return undefined;
    }
    const auth = Object.keys(this.state.auths).find((mount) => path.startsWith(`auth/${mount}`));
    if (auth !== undefined && this.state.auths[auth]?.type === "kubernetes") return this.#kubernetes(auth, path.slice(`auth/${auth}`.length), call);
    const mount = Object.keys(this.state.mounts).find((key) => path.startsWith(key));
    if (mount !== undefined && this.state.mounts[mount]?.type === "kv") {
      const [operation = "", ...rest] = path.slice(mount.length).split("/");
      const changes = method !== "GET" && method !== "LIST";
      const result = kv(this.state, mount, { method, operation, path: rest.join("/"), body, query, now: this.#now() });
      this.#record(
        changes ? "write" : "read",
        `kv-${operation === "data" && changes && method !== "DELETE" ? "put" : `${operation}-${method.toLowerCase()}`} ${rest.join("/")}`,
      );
      return result;
    }
    return this.#unknown(method, path);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  if (text === "") return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new VaultError(400, "failed to parse JSON input");
  }
}

/** @param onSealChange told after each change of the seal: the pod's readiness hangs on it */
export async function startVault(name: string, ctx: LabContext, options: { saved?: unknown; onSealChange?: () => void } = {}): Promise<VaultServer> {
  const vault = new Vault(name, ctx, options.onSealChange ?? (() => undefined), options.saved);
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://vault");
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    try {
      if (!url.pathname.startsWith("/v1/")) throw new VaultError(404, "no handler for route");
      const id = request.headers["x-vault-token"] ?? request.headers.authorization?.replace(/^Bearer /, "");
      const method = request.method === "GET" && url.searchParams.get("list") === "true" ? "LIST" : (request.method ?? "GET");
      const path = decodeURIComponent(url.pathname.slice("/v1/".length)).replace(/\/+$/, "");
      const { status, body } = await vault.answer({
        method,
        path,
        body: await bodyOf(request),
        query: url.searchParams,
        token: typeof id === "string" ? vault.findToken(id) : undefined,
      });
      const bare = path.startsWith("sys/") && body !== undefined && !("data" in body) && !("auth" in body);
      answer(
        status,
        body === undefined
          ? undefined
          : bare
            ? body
            : {
                request_id: randomUUID(),
                lease_id: "",
                renewable: false,
                lease_duration: 0,
                data: null,
                wrap_info: null,
                warnings: null,
                auth: null,
                mount_type: "",
                ...body,
              },
      );
    } catch (thrown) {
      if (!(thrown instanceof VaultError)) {
        ctx.unhandled.add({ system: "vault", target: name, what: `bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
        answer(500, { errors: ["internal error"] });
      } else answer(thrown.status, thrown.body());
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get sealed() {
      return vault.state.sealed;
    },
    save: () => vault.state,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
