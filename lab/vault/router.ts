/** Which part answers a call, and who may make it. */
import { type Answer, type Call, type Core, noRoute, type TokenCall } from "./core";
import { badRequest, denied, noToken, unknownToken, unsupported, unsupportedPath, VaultError } from "./errors";
import { undeclared } from "./fields";
import { GenerateRoot } from "./generate-root";
import { KubernetesAuth } from "./kubernetes-auth";
import { Kv, newStore } from "./kv";
import { Mounts } from "./mounts";
import { openApi, type Parts, SYSTEM } from "./paths";
import { Policies } from "./policies";
import { Seal } from "./seal";
import type { VaultToken } from "./state";
import { Tokens } from "./tokens";
import { textMap } from "./values";

/** Paths that want the capability `sudo` beside the operation's own (Vault: "root-protected"). */
const SUDO =
  /^(sys\/(audit(\/.*)?|auth\/.+|remount|rotate|seal|step-down|raw(\/.*)?|leases\/(lookup|revoke-prefix|revoke-force)\/.*)|auth\/token\/(accessors|create-orphan|revoke-orphan))\/?$/;

const OPERATIONS: Record<string, string> = { GET: "read", LIST: "list", DELETE: "delete", PATCH: "patch" };

/** Paths that are answered without a token. */
const WITHOUT_TOKEN = /^(sys\/(health|seal-status|init|unseal|leader|generate-root\/(attempt|update))|auth\/.+\/login)$/;

export class Router {
  readonly #tokens: Tokens;
  readonly #policies: Policies;
  readonly #mounts: Mounts;
  readonly #kubernetes: KubernetesAuth;
  readonly #kv: Kv;
  readonly #seal: Seal;
  readonly #root: GenerateRoot;

  constructor(
    private readonly core: Core,
    private readonly onSealChange: () => void,
  ) {
    this.#tokens = new Tokens(core);
    this.#policies = new Policies(core);
    this.#kubernetes = new KubernetesAuth(core, this.#tokens);
    this.#kv = new Kv(core);
    this.#seal = new Seal(core, this.#tokens, onSealChange);
    this.#root = new GenerateRoot(core, this.#tokens);
    this.#mounts = new Mounts(core, {
      added: (kind, path) => {
        if (kind === "mounts") core.state.kv[path] = newStore();
      },
      removed: (kind, path) => this.#forget(kind, path),
      moved: (kind, from, to) => {
        // Tokens of the auth method at the old path are revoked.
        if (kind === "auths") this.#tokens.revokeOf(from);
        const { kv, authConfigs, authRoles } = core.state;
        for (const table of [kv, authConfigs, authRoles] as Record<string, unknown>[]) {
          if (table[from] === undefined) continue;
          table[to] = table[from];
          delete table[from];
        }
      },
    });
  }

  #forget(kind: "mounts" | "auths", path: string): void {
    const { state } = this.core;
    if (kind === "mounts") delete state.kv[path];
    else {
      delete state.authConfigs[path];
      delete state.authRoles[path];
      this.#tokens.revokeOf(path);
    }
  }

  /** @param id the token that came with the call */
  async answer(call: Call, id: string | undefined): Promise<{ status: number; body: Answer }> {
    if (WITHOUT_TOKEN.test(call.path)) this.#refuseUndeclared(call);
    const open = this.#open(call);
    if (open !== undefined) return open;
    const { state } = this.core;
    this.#strike();
    if (!state.initialized || state.sealed) throw new VaultError(503, "Vault is sealed");
    const generated = this.#generateRoot(call);
    if (generated !== undefined) return generated;
    if (call.path === "sys/internal/specs/openapi" && call.method === "GET") return { status: 200, body: this.#document(id) };
    const login = /^auth\/(.+\/)login$/.exec(call.path)?.[1];
    const body =
      login !== undefined && state.auths[login]?.type === "kubernetes" ? await this.#kubernetes.login(login, call) : await this.#withToken(call, id ?? "");
    return { status: body === undefined ? 204 : 200, body };
  }

  /** Faults that hit any call but those that ask for the seal. */
  #strike(): void {
    const { ctx, name, state } = this.core;
    const outage = ctx.faults.take("vault.unavailable", name);
    if (outage !== undefined) throw new VaultError(Number(outage["status"] ?? 503), "local node not active but active cluster node not found");
    if (!state.initialized || state.sealed || ctx.faults.take("vault.sealed", name) === undefined) return;
    // As after a restart of its process: sealed until somebody unseals it.
    state.sealed = true;
    this.onSealChange();
  }

  /** What needs no token. */
  #open({ path, method, body, query }: Call): { status: number; body: Answer } | undefined {
    const ok = (answer: Answer) => ({ status: 200, body: answer });
    const writes = method === "POST" || method === "PUT";
    switch (path) {
      case "sys/health":
        return this.#seal.health(query);
      case "sys/seal-status":
        return ok(this.#seal.status());
      case "sys/init":
        return ok(writes ? this.#seal.init(body) : { initialized: this.core.state.initialized });
      case "sys/unseal":
        if (!writes) throw new VaultError(405);
        return ok(this.#seal.unseal(body));
      case "sys/leader":
        return ok({
          ha_enabled: false,
          is_self: false,
          leader_address: "",
          leader_cluster_address: "",
          performance_standby: false,
          performance_standby_last_remote_wal: 0,
        });
      default:
        return undefined;
    }
  }

  #refuseUndeclared(call: Call): void {
    const undeclaredPart = undeclared(call);
    if (undeclaredPart === undefined) return;
    throw this.core.notModelled(`${call.method} /v1/${call.path}: ${undeclaredPart}`, badRequest(`${undeclaredPart} is not modelled by the lab`));
  }

  async #withToken(call: Call, id: string): Promise<Answer> {
    if (id === "") throw noToken();
    const token = this.#tokens.find(id);
    if (token === undefined) throw unknownToken();
    this.#authorize(call, token);
    this.#refuseUndeclared(call);
    this.#tokens.use(token);
    return this.#route({ ...call, token }, id);
  }

  #exists({ path }: Call): boolean {
    const auth = this.#mounts.find("auths", path.replace(/^auth\//, ""));
    if (path.startsWith("auth/token/roles/")) return this.core.state.tokenRoles[path.slice("auth/token/roles/".length)] !== undefined;
    if (path.startsWith("auth/")) {
      const rest = auth === undefined ? "" : path.slice(`auth/${auth}`.length);
      return auth === undefined || !rest.startsWith("role/") || this.#kubernetes.hasRole(auth, rest);
    }
    const mount = this.#mounts.find("mounts", path);
    // Only these know "create"; a write of all others is an update.
    if (mount === undefined || this.core.state.mounts[mount]?.type !== "kv" || !/^(data|metadata)\//.test(path.slice(mount.length))) return true;
    return this.#kv.exists(mount, path.slice(mount.length));
  }

  #authorize(call: Call, token: VaultToken): void {
    if (token.policies.includes("root")) return;
    const listing = call.method === "LIST";
    const given = this.#policies.capabilities(token, listing ? `${call.path}/` : call.path);
    const wanted = OPERATIONS[call.method] ?? (this.#exists(call) ? "update" : "create");
    if (!given.includes(wanted)) {
      // The UI's request about a mount is answered to every token that has a right below that mount.
      if (call.path.startsWith("sys/internal/ui/mounts/") && this.#sees(token, call.path.slice("sys/internal/ui/mounts/".length))) return;
      throw denied();
    }
    if (SUDO.test(call.path) && !given.includes("sudo")) throw denied();
  }

  #sees(token: VaultToken, path: string): boolean {
    const mount = this.#mounts.find("mounts", path);
    return mount !== undefined && this.#policies.rulesOf(token).some((rule) => rule.path.startsWith(mount) && !rule.capabilities.includes("deny"));
  }

  async #route(call: TokenCall, id: string): Promise<Answer> {
    const { path } = call;
    if (path.startsWith("auth/token/")) {
      const given = this.#policies.capabilities(call.token, path);
      return this.#tokens.handle(call, id, given.includes("root") || given.includes("sudo"));
    }
    if (path.startsWith("sys/")) return this.#system(call, path.slice("sys/".length));
    if (path.startsWith("auth/")) {
      const mount = this.#mounts.find("auths", path.slice("auth/".length));
      if (mount === undefined) throw noRoute(path);
      return this.#kubernetes.handle(mount, path.slice(`auth/${mount}`.length), call);
    }
    const mount = this.#mounts.find("mounts", path);
    // Nothing is mounted there: a real Vault says the same.
    if (mount === undefined) throw noRoute(path);
    if (this.core.state.mounts[mount]?.type === "kv") return this.#kv.handle(mount, path.slice(mount.length), call);
    throw this.core.notModelled(`${call.method} /v1/${path}`);
  }

  /** The OpenAPI document, with only those mounts below which the token has a right. */
  #document(id: string | undefined): Answer {
    const token = id === undefined ? undefined : this.#tokens.find(id);
    if (token === undefined) return openApi(this.core, () => false);
    return openApi(this.core, (mount) => token.policies.includes("root") || this.#policies.rulesOf(token).some((rule) => rule.path.startsWith(mount)));
  }

  /** With unseal keys instead of a token. */
  #generateRoot({ path, method, body }: Call): { status: number; body: Answer } | undefined {
    const step = /^sys\/generate-root\/(attempt|update)$/.exec(path)?.[1];
    if (step === undefined) return undefined;
    const answer = step === "attempt" ? this.#root.attempt(method, body) : this.#root.update(method, body);
    return { status: answer === undefined ? 204 : 200, body: answer };
  }

  #system(call: TokenCall, path: string): Answer {
    const served = SYSTEM.find(({ pattern }) => pattern.test(path));
    if (served === undefined || !served.methods.includes(call.method)) {
      if (served?.strict === true) throw unsupported();
      throw this.core.notModelled(`${call.method} /v1/sys/${path}`, unsupportedPath());
    }
    return served.run(this.#parts(), call, path);
  }

  #parts(): Parts {
    return {
      core: this.core,
      mounts: this.#mounts,
      policies: this.#policies,
      seal: this.#seal,
      audit: (call, name) => this.#audit(call, name),
    };
  }

  #audit({ method, body }: Call, name: string): Answer {
    const { audits } = this.core.state;
    const key = `${name.replace(/\/+$/, "")}/`;
    if (name === "") {
      if (method !== "GET") throw unsupported();
      return { ...audits, data: audits };
    }
    if (method === "DELETE") {
      if (audits[key] === undefined) return undefined;
      delete audits[key];
    } else {
      if (method !== "POST" && method !== "PUT") throw unsupported();
      if (audits[key] !== undefined) throw badRequest("path already in use");
      const type = String(body["type"] ?? "");
      if (type !== "file" && type !== "socket" && type !== "syslog") throw badRequest(`unknown backend type: "${type}"`);
      if (type === "file" && textMap(body["options"])?.["file_path"] === undefined) throw badRequest("file_path is required");
      audits[key] = { description: String(body["description"] ?? ""), local: body["local"] === true, options: body["options"] ?? {}, path: key, type };
    }
    this.core.record("write", `audit ${name}`);
    return undefined;
  }
}
