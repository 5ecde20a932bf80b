/** Which part answers a call, and who may make it. */
import { type Answer, type Call, type Core, noRoute, type TokenCall } from "./core";
import { badRequest, denied, unknownToken, unsupported, unsupportedPath, VaultError } from "./errors";
import { KubernetesAuth } from "./kubernetes-auth";
import { Kv, newStore } from "./kv";
import { Mounts } from "./mounts";
import { Policies } from "./policies";
import { Seal } from "./seal";
import type { VaultToken } from "./state";
import { Tokens } from "./tokens";
import { textMap } from "./values";

/** Paths that want the capability `sudo` beside the operation's own (Vault: "root-protected"). */
const SUDO =
  /^(sys\/(audit(\/.*)?|auth\/.+|remount|rotate|seal|step-down|raw(\/.*)?|leases\/(lookup|revoke-prefix|revoke-force)\/.*)|auth\/token\/(accessors|create-orphan|revoke-orphan))\/?$/;

const OPERATIONS: Record<string, string> = { GET: "read", LIST: "list", DELETE: "delete", PATCH: "patch" };

export class Router {
  readonly #tokens: Tokens;
  readonly #policies: Policies;
  readonly #mounts: Mounts;
  readonly #kubernetes: KubernetesAuth;
  readonly #kv: Kv;
  readonly #seal: Seal;

  constructor(
    private readonly core: Core,
    onSealChange: () => void,
  ) {
    this.#tokens = new Tokens(core);
    this.#policies = new Policies(core);
    this.#kubernetes = new KubernetesAuth(core, this.#tokens);
    this.#kv = new Kv(core);
    this.#seal = new Seal(core, this.#tokens, onSealChange);
    this.#mounts = new Mounts(core, {
      added: (kind, path) => {
        if (kind === "mounts") core.state.kv[path] = newStore();
      },
      removed: (kind, path) => this.#forget(kind, path),
      moved: (kind, from, to) => {
        // What was handed out below the old path ends with it.
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
    const open = this.#open(call);
    if (open !== undefined) return open;
    const { state } = this.core;
    if (!state.initialized || state.sealed) throw new VaultError(503, "Vault is sealed");
    const login = /^auth\/(.+\/)login$/.exec(call.path)?.[1];
    const body =
      login !== undefined && state.auths[login]?.type === "kubernetes" ? await this.#kubernetes.login(login, call) : await this.#withToken(call, id ?? "");
    return { status: body === undefined ? 204 : 200, body };
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

  async #withToken(call: Call, id: string): Promise<Answer> {
    const token = id === "" ? undefined : this.#tokens.find(id);
    if (token === undefined) throw unknownToken();
    this.#authorize(call, token);
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
      // The UI's question is answered to whoever may see something of the mount.
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

  #system(call: TokenCall, path: string): Answer {
    const { method, body } = call;
    const writes = method === "POST" || method === "PUT";
    if (path === "mounts" || path === "auth") {
      if (method !== "GET") throw unsupported();
      return this.#mounts.all(path === "mounts" ? "mounts" : "auths");
    }
    if (path.startsWith("mounts/auth/")) return this.#mounts.handle("auths", call, path.slice("mounts/auth/".length));
    if (path.startsWith("mounts/")) return this.#mounts.handle("mounts", call, path.slice("mounts/".length));
    if (path.startsWith("auth/")) return this.#mounts.handle("auths", call, path.slice("auth/".length));
    if (/^(policies\/acl|policy)(\/|$)/.test(path)) return this.#policies.handle(call, path);
    if (path === "audit" || path.startsWith("audit/")) return this.#audit(call, path.slice("audit/".length));
    if (path === "seal" && writes) return this.#seal.seal();
    if (path === "remount" && writes) return this.#mounts.remount(body);
    if (path.startsWith("remount/status/") && method === "GET") return this.#mounts.moveStatus(path.slice("remount/status/".length));
    if (path === "capabilities-self" && writes) return this.#policies.capabilitiesSelf(call.token, body);
    if (path.startsWith("internal/ui/mounts/") && method === "GET") {
      const asked = path.slice("internal/ui/mounts/".length);
      const found = this.#mounts.describe(asked);
      if (found === undefined)
        throw new VaultError(403, `preflight capability check returned 403, please ensure client's policies grant access to path "${asked}/"`);
      return found;
    }
    throw this.core.notModelled(`${method} /v1/sys/${path}`, unsupportedPath());
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
