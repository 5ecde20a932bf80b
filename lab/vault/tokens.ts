/** auth/token: making, looking up, renewing and revoking tokens, and token roles. */
import { randomBytes } from "node:crypto";
import { type Answer, type Core, hash, newAccessor, rfc3339, SYSTEM_TTL, type TokenCall } from "./core";
import { badRequest, notFound, unsupported, VaultError } from "./errors";
import type { VaultToken } from "./state";
import { flag, goDuration, list, seconds, text, textMap } from "./values";

/** What differs from a plain token. */
export interface TokenFacts {
  policies: string[];
  path: string;
  displayName: string;
  ttl?: number;
  period?: number;
  explicitMaxTtl?: number;
  renewable?: boolean;
  parent?: string | null;
  uses?: number;
  metadata?: Record<string, string> | null;
  role?: string;
}

const UNMODELLED = ["entity_alias", "wrap_ttl"];
const ROLE_LISTS = ["allowed_policies", "disallowed_policies", "allowed_policies_glob", "disallowed_policies_glob", "token_bound_cidrs"];
const ROLE_SECONDS = ["token_period", "token_explicit_max_ttl"];

const unknownAccessor = (accessor: string): VaultError => badRequest(`1 error occurred:\n\t* ${accessor === "" ? "missing" : "invalid"} accessor\n\n`);
/** A list of texts as Go prints it. */
const go = (texts: readonly string[]): string =>
  `[${[...new Set(texts)]
    .toSorted()
    .map((text) => JSON.stringify(text))
    .join(" ")}]`;
const badToken = (): VaultError => new VaultError(403, "bad token");

export class Tokens {
  constructor(private readonly core: Core) {}

  /** Removes expired tokens with the tokens that they made. */
  #expire(): void {
    const now = this.core.now();
    for (const token of [...this.core.state.tokens]) if (token.expires !== null && token.expires <= now) this.#drop(token);
  }

  #drop(token: VaultToken): void {
    this.core.state.tokens = this.core.state.tokens.filter((other) => other !== token);
    for (const child of this.core.state.tokens.filter((other) => other.parent === token.hash)) this.#drop(child);
  }

  find(id: string): VaultToken | undefined {
    this.#expire();
    const wanted = hash(id);
    return this.core.state.tokens.find((token) => token.hash === wanted);
  }

  /** Counts one use of a token that has a limited number of them. */
  use(token: VaultToken): void {
    if (token.uses === 0) return;
    token.uses = token.uses === 1 ? -1 : token.uses - 1;
    this.core.ctx.changed();
    if (token.uses === -1) this.#drop(token);
  }

  addRoot(): string {
    const id = `hvs.${randomBytes(18).toString("base64url")}`;
    this.#add(id, { policies: ["root"], path: "auth/token/root", displayName: "root", renewable: false, parent: null });
    return id;
  }

  #add(id: string, facts: TokenFacts): VaultToken {
    const created = this.core.now();
    const ttl = facts.period || facts.ttl || 0;
    const token: VaultToken = {
      hash: hash(id),
      accessor: newAccessor(),
      parent: facts.parent ?? null,
      policies: facts.policies,
      displayName: facts.displayName,
      created,
      expires: ttl > 0 ? created + ttl : null,
      renewed: null,
      period: facts.period ?? 0,
      ttl,
      explicitMaxTtl: facts.explicitMaxTtl ?? 0,
      renewable: facts.renewable ?? true,
      orphan: facts.parent === undefined || facts.parent === null,
      uses: facts.uses ?? 0,
      metadata: facts.metadata ?? null,
      path: facts.path,
      role: facts.role ?? "",
    };
    this.core.state.tokens.push(token);
    return token;
  }

  /** A new token as Vault answers it. */
  issue(facts: TokenFacts): Record<string, unknown> {
    const id = `hvs.${randomBytes(69).toString("base64url")}`;
    return { auth: this.#auth(this.#add(id, facts), id) };
  }

  #auth(token: VaultToken, id: string): Record<string, unknown> {
    return {
      client_token: id,
      accessor: token.accessor,
      policies: token.policies,
      token_policies: token.policies,
      metadata: token.metadata,
      lease_duration: token.expires === null ? 0 : token.expires - this.core.now(),
      renewable: token.renewable,
      entity_id: "",
      token_type: "service",
      orphan: token.orphan,
      mfa_requirement: null,
      num_uses: Math.max(0, token.uses),
    };
  }

  #shown(token: VaultToken, id: string): Record<string, unknown> {
    const { created, expires, renewed } = token;
    return {
      accessor: token.accessor,
      creation_time: created,
      creation_ttl: token.ttl,
      display_name: token.displayName,
      entity_id: "",
      expire_time: expires === null ? null : rfc3339(expires),
      explicit_max_ttl: token.explicitMaxTtl,
      id,
      ...(expires === null ? {} : { issue_time: rfc3339(created) }),
      ...(renewed === null ? {} : { last_renewal: rfc3339(renewed), last_renewal_time: renewed }),
      meta: token.metadata,
      num_uses: Math.max(0, token.uses),
      orphan: token.orphan,
      path: token.path,
      ...(token.period > 0 ? { period: token.period } : {}),
      policies: token.policies,
      // A token that never expires has no lease, so `renewable` is left out.
      ...(expires === null ? {} : { renewable: token.renewable }),
      ...(token.role === "" ? {} : { role: token.role }),
      ttl: expires === null ? 0 : Math.max(0, expires - this.core.now()),
      type: "service",
    };
  }

  #byAccessor(accessor: string): VaultToken {
    this.#expire();
    const found = this.core.state.tokens.find((token) => token.accessor === accessor);
    if (found === undefined) throw unknownAccessor(accessor);
    return found;
  }

  #byId(id: string): VaultToken {
    const found = this.find(id);
    if (found === undefined) throw badToken();
    return found;
  }

  #toRenew(id: string): VaultToken {
    const found = this.find(id);
    if (found === undefined) throw badRequest("token not found");
    return found;
  }

  /** @param id the caller's own token */
  handle(call: TokenCall, id: string, sudo: boolean): Answer {
    const { path, method, body, token } = call;
    const [operation = "", name] = path.slice("auth/token/".length).split("/");
    if (operation === "roles") return this.#role(method, name, body);
    if (operation === "accessors" && method === "LIST") return { data: { keys: this.core.state.tokens.map(({ accessor }) => accessor) } };
    switch (operation) {
      case "create":
      case "create-orphan":
        if (method === "GET") throw unsupported();
        return this.#create(call, operation === "create-orphan", name, sudo);
      case "lookup-self":
        return { data: this.#shown(token, id) };
      case "lookup":
        if (method === "GET" || text(body["token"]) === "") return { data: this.#shown(token, id) };
        return { data: this.#shown(this.#byId(text(body["token"])), text(body["token"])) };
      case "lookup-accessor":
        return { data: this.#shown(this.#byAccessor(text(body["accessor"])), "") };
      case "renew-self":
        return this.#renew(token, id, body);
      case "renew":
        return this.#renew(this.#toRenew(text(body["token"])), text(body["token"]), body);
      case "renew-accessor":
        return this.#renew(this.#byAccessor(text(body["accessor"])), "", body);
      case "revoke-self":
        return this.#revoke(token);
      case "revoke":
      case "revoke-orphan":
        return this.#revoke(this.find(text(body["token"])), operation === "revoke-orphan");
      case "revoke-accessor":
        return this.#revokeAccessor(text(body["accessor"]));
      default:
        throw this.core.notModelled(`${method} /v1/${path}`);
    }
  }

  #create({ body, token: parent }: TokenCall, orphanPath: boolean, roleName: string | undefined, sudo: boolean): Answer {
    for (const key of UNMODELLED) if (body[key]) throw this.core.notModelled(`token-create with ${key}`, badRequest(`${key} is not modelled by the lab`));
    if (body["type"] !== undefined && body["type"] !== "" && body["type"] !== "service")
      throw this.core.notModelled(`token-create of type ${String(body["type"])}`, badRequest("only service tokens are modelled by the lab"));
    const role = roleName === undefined ? undefined : this.core.state.tokenRoles[roleName];
    if (roleName !== undefined && role === undefined) throw badRequest(`unknown role ${roleName}`);
    const isRoot = parent.policies.includes("root");
    const asked = list(body["policies"]);
    const allowed = list(role?.["allowed_policies"]);
    const refused = list(role?.["disallowed_policies"]);
    if (role !== undefined) {
      const bad = asked.find((policy) => (allowed.length > 0 && !allowed.includes(policy)) || refused.includes(policy));
      if (bad !== undefined)
        throw badRequest(
          `token policies (${go(["default", ...asked])}) must be subset of the role's allowed policies (${go(["default", ...allowed])}) or glob policies ([])`,
        );
    } else if (!isRoot && !sudo && asked.some((policy) => policy !== "default" && !parent.policies.includes(policy)))
      throw badRequest("child policies must be subset of parent");
    if (asked.includes("root") && !isRoot) throw badRequest("root tokens may not be created without parent token being root");
    const wanted = asked.length > 0 ? asked : allowed.length > 0 ? allowed : parent.policies;
    const withoutDefault = wanted.includes("root") || flag(body["no_default_policy"]) || flag(role?.["token_no_default_policy"]);
    const policies = [...new Set(withoutDefault ? wanted : ["default", ...wanted])].sort();
    const orphan = orphanPath || flag(body["no_parent"]) || flag(role?.["orphan"]);
    if (flag(body["no_parent"]) && !isRoot && !sudo && role === undefined) throw badRequest("root or sudo privileges required to create orphan token");
    const askedPeriod = seconds(body["period"]);
    if (askedPeriod > 0 && !isRoot && !sudo && role === undefined) throw badRequest("root or sudo privileges required to create periodic token");
    const limit = Number(this.core.state.auths["token/"]?.config["max_lease_ttl"]) || SYSTEM_TTL;
    const wantedPeriod = seconds(role?.["token_period"]) || askedPeriod;
    const period = Math.min(wantedPeriod, limit);
    const ttl = seconds(body["ttl"] ?? body["lease"]);
    const warnings = this.#warnings(policies, ttl, wantedPeriod, limit);
    const endless = policies.includes("root") && ttl === 0 && period === 0;
    const displayName = text(body["display_name"]);
    this.core.record("write", `token-create ${displayName || "token"}`);
    const answer = this.issue({
      policies,
      path: roleName === undefined ? "auth/token/create" : `auth/token/create/${roleName}`,
      displayName: displayName === "" ? "token" : `token-${displayName}`,
      ...(endless ? {} : { ttl: Math.min(ttl || SYSTEM_TTL, limit) }),
      period,
      explicitMaxTtl: seconds(role?.["token_explicit_max_ttl"]) || seconds(body["explicit_max_ttl"]),
      renewable: !endless && body["renewable"] !== false && role?.["renewable"] !== false,
      parent: orphan ? null : parent.hash,
      uses: Number(body["num_uses"] ?? 0),
      metadata: textMap(body["meta"]),
      role: roleName ?? "",
    });
    return { ...answer, warnings: warnings.length > 0 ? warnings : null };
  }

  /** @param ttl seconds that were asked for, as are `period` and `limit` */
  #warnings(policies: readonly string[], ttl: number, period: number, limit: number): string[] {
    const unknown = policies.filter((policy) => policy !== "root" && this.core.state.policies[policy] === undefined);
    return [
      ...(ttl > limit ? [`TTL of "${goDuration(ttl)}" exceeded the effective max_ttl of "${goDuration(limit)}"; TTL value is capped accordingly`] : []),
      ...(period > limit ? [`period of "${period / 3600}h" exceeded the effective max_ttl of "${limit / 3600}h"; period value is capped accordingly`] : []),
      ...unknown.map((policy) => `Policy "${policy}" does not exist`),
    ];
  }

  #renew(token: VaultToken, id: string, body: Record<string, unknown>): Answer {
    if (token.expires === null) throw badRequest("invalid lease ID");
    if (!token.renewable) throw badRequest("lease is not renewable");
    const now = this.core.now();
    const wanted = token.period || seconds(body["increment"]) || token.ttl;
    const latest = token.explicitMaxTtl > 0 ? token.created + token.explicitMaxTtl : token.period > 0 ? Number.POSITIVE_INFINITY : token.created + SYSTEM_TTL;
    token.expires = Math.min(now + wanted, latest);
    token.renewed = now;
    this.core.ctx.changed();
    return { auth: this.#auth(token, id) };
  }

  #revoke(token: VaultToken | undefined, keepChildren = false): Answer {
    if (token === undefined) return undefined;
    if (keepChildren) for (const child of this.core.state.tokens) if (child.parent === token.hash) Object.assign(child, { parent: null, orphan: true });
    this.#drop(token);
    // Revoking the token of a login belongs to the login, which is recorded as a read.
    this.core.record(token.path.startsWith("auth/token/") ? "write" : "read", "token-revoke");
    return undefined;
  }

  /** An unknown accessor is no error: Vault answers with a warning. */
  #revokeAccessor(accessor: string): Answer {
    this.#expire();
    const found = this.core.state.tokens.find((token) => token.accessor === accessor);
    return found === undefined && accessor !== "" ? { warnings: ["No token found with this accessor"] } : this.#revoke(this.#byAccessor(accessor));
  }

  /** Revokes every token of an auth method that is disabled or moved. */
  revokeOf(authPath: string): void {
    for (const token of [...this.core.state.tokens]) if (token.path === `auth/${authPath}login`) this.#drop(token);
  }

  #role(method: string, name: string | undefined, body: Record<string, unknown>): Answer {
    const roles = this.core.state.tokenRoles;
    if (name === undefined || name === "") {
      if (method !== "LIST") throw unsupported();
      if (Object.keys(roles).length === 0) throw notFound();
      return { data: { keys: Object.keys(roles).sort() } };
    }
    if (method === "GET") {
      const role = roles[name];
      if (role === undefined) throw notFound();
      const lists = Object.fromEntries(ROLE_LISTS.map((key) => [key, list(role[key])]));
      const times = Object.fromEntries(ROLE_SECONDS.map((key) => [key, seconds(role[key])]));
      const shown = { name, orphan: flag(role["orphan"]), renewable: role["renewable"] !== false, path_suffix: text(role["path_suffix"]) };
      return {
        data: {
          ...lists,
          ...times,
          ...shown,
          token_no_default_policy: flag(role["token_no_default_policy"]),
          token_type: text(role["token_type"]) || "default-service",
        },
      };
    }
    if (method === "DELETE") delete roles[name];
    else {
      const next = { ...roles[name], ...body };
      if (JSON.stringify(next) === JSON.stringify(roles[name])) return undefined;
      roles[name] = next;
    }
    this.core.record("write", `token-role ${name}`);
    return undefined;
  }
}
