/** Secret engines and auth methods: mounting, tuning, moving, and what the UI and clients ask about them. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Answer, type Call, type Core, SYSTEM_TTL } from "./core";
import { badRequest, notFound, unsupported } from "./errors";
import type { VaultMount } from "./state";
import { flag, list, seconds, text, textMap } from "./values";

export type MountKind = "mounts" | "auths";

const TTLS = ["default_lease_ttl", "max_lease_ttl"];
const LISTS = [
  "audit_non_hmac_request_keys",
  "audit_non_hmac_response_keys",
  "passthrough_request_headers",
  "allowed_response_headers",
  "allowed_managed_keys",
  "delegated_auth_accessors",
];
const TEXTS = ["listing_visibility", "token_type", "identity_token_key", "plugin_version"];
/** Settings of a mount, by the names that `tune` accepts. */
export const MOUNT_CONFIG: readonly string[] = [...TTLS, "force_no_cache", ...LISTS, ...TEXTS];
const MODELLED = { mounts: new Set(["kv", "kv-v2"]), auths: new Set(["kubernetes"]) };
const OWN = new Set(["cubbyhole/", "identity/", "sys/", "token/"]);

export const newMount = (type: string, facts: Partial<VaultMount> = {}): VaultMount => ({
  type,
  description: "",
  options: null,
  config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
  local: false,
  sealWrap: false,
  externalEntropy: false,
  accessor: `${type}_${randomBytes(4).toString("hex")}`,
  uuid: randomUUID(),
  ...facts,
});

export const newAuthAccessor = (type: string): string => `auth_${type}_${randomBytes(4).toString("hex")}`;

const slashed = (path: string): string => `${path.replace(/^\/+|\/+$/g, "")}/`;

/** Sets the fields that a request names. @returns whether any of them has changed */
function configure(mount: VaultMount, body: Record<string, unknown>): boolean {
  const before = JSON.stringify(mount);
  for (const key of TTLS) {
    if (body[key] === undefined || body[key] === "" || body[key] === null) continue;
    mount.config[key] = body[key] === "system" ? 0 : seconds(body[key]);
  }
  if (body["force_no_cache"] !== undefined) mount.config["force_no_cache"] = flag(body["force_no_cache"]);
  for (const key of LISTS) {
    if (body[key] === undefined || body[key] === null) continue;
    const items = list(body[key]);
    if (items.length > 0) mount.config[key] = items;
    else delete mount.config[key];
  }
  for (const key of TEXTS) {
    if (body[key] === undefined || body[key] === null) continue;
    if (text(body[key]) === "") delete mount.config[key];
    else mount.config[key] = text(body[key]);
  }
  return JSON.stringify(mount) !== before;
}

/** How long a move takes. */
const MOVE_MS = 50;

export class Mounts {
  readonly #moves = new Map<string, { source_mount: string; target_mount: string; status: "in-progress" | "success" }>();

  constructor(
    private readonly core: Core,
    /** Called when an engine or auth method is mounted, unmounted or moved. */
    private readonly changed: {
      added(kind: MountKind, path: string): void;
      removed(kind: MountKind, path: string): void;
      moved(kind: MountKind, from: string, to: string): void;
    },
  ) {}

  #shown(kind: MountKind, mount: VaultMount): Record<string, unknown> {
    return {
      accessor: mount.accessor,
      config: { ...mount.config, ...(kind === "auths" ? { token_type: mount.config["token_type"] ?? "default-service" } : {}) },
      // Only plugins of the catalog have this field, not the engines that are part of every Vault.
      ...(MODELLED[kind].has(mount.type) ? { deprecation_status: "supported" } : {}),
      description: mount.description,
      external_entropy_access: mount.externalEntropy,
      local: mount.local,
      options: mount.options,
      plugin_version: "",
      running_plugin_version: `v${mount.type === "kv" ? "0.20.0" : "0.20.1"}+builtin`,
      running_sha256: "",
      seal_wrap: mount.sealWrap,
      type: mount.type,
      uuid: mount.uuid,
    };
  }

  all(kind: MountKind): Answer {
    const table = Object.fromEntries(Object.entries(this.core.state[kind]).map(([path, mount]) => [path, this.#shown(kind, mount)]));
    return { ...table, data: table };
  }

  /** @param rest path after `sys/mounts/` or `sys/auth/` */
  handle(kind: MountKind, { method, body }: Call, rest: string): Answer {
    if (rest.endsWith("/tune")) return this.#tune(kind, method, slashed(rest.slice(0, -"/tune".length)), body);
    const path = slashed(rest);
    const existing = this.core.state[kind][path];
    switch (method) {
      case "GET": {
        if (existing === undefined) throw badRequest(kind === "mounts" ? `No secret engine mount at ${path}` : `No auth engine at ${path}`);
        const shown = this.#shown(kind, existing);
        return { ...shown, data: shown };
      }
      case "POST":
      case "PUT":
        return this.#add(kind, path, body);
      case "DELETE": {
        if (OWN.has(path)) throw badRequest(kind === "auths" ? "token credential backend cannot be disabled" : `cannot unmount "${path}"`);
        if (existing === undefined) return undefined;
        delete this.core.state[kind][path];
        this.changed.removed(kind, path);
        this.core.record("write", `${kind === "mounts" ? "unmount" : "disable-auth"} ${path}`);
        return undefined;
      }
      default:
        throw unsupported();
    }
  }

  #add(kind: MountKind, path: string, body: Record<string, unknown>): Answer {
    const { core } = this;
    const type = text(body["type"]);
    if (type === "") throw badRequest("backend type must be specified as a string");
    const taken = Object.keys(core.state[kind]).find((other) => path.startsWith(other) || other.startsWith(path));
    if (taken !== undefined) throw badRequest(`path is already in use at ${taken}`);
    const options = textMap(body["options"]);
    const version = type === "kv-v2" ? "2" : (options?.["version"] ?? "1");
    if (!MODELLED[kind].has(type) || (kind === "mounts" && version !== "2")) {
      const what = `${kind === "mounts" ? "secret engine" : "auth method"} ${type}${kind === "mounts" && MODELLED.mounts.has(type) ? " version 1" : ""}`;
      throw core.notModelled(what, badRequest(`plugin not found in the catalog: ${type} (the lab does not model it)`));
    }
    const mount = newMount(kind === "mounts" ? "kv" : type, {
      ...(kind === "auths" ? { accessor: newAuthAccessor(type) } : {}),
      description: text(body["description"]),
      options: kind === "mounts" ? { ...options, version: "2" } : (options ?? {}),
      local: flag(body["local"]),
      sealWrap: flag(body["seal_wrap"]),
      externalEntropy: flag(body["external_entropy_access"]),
    });
    const config = body["config"];
    if (typeof config === "object" && config !== null) configure(mount, config as Record<string, unknown>);
    core.state[kind][path] = mount;
    this.changed.added(kind, path);
    core.record("write", `${kind === "mounts" ? "mount" : "enable-auth"} ${path}`);
    return undefined;
  }

  #tune(kind: MountKind, method: string, path: string, body: Record<string, unknown>): Answer {
    const mount = this.core.state[kind][path];
    const full = `${kind === "auths" ? "auth/" : ""}${path}`;
    if (mount === undefined)
      throw badRequest(method === "GET" ? `cannot fetch sysview for path "${full}"` : `tune of path "${full}" failed: no mount entry found`);
    if (method === "GET") {
      const { default_lease_ttl: ttl, max_lease_ttl: max, ...rest } = mount.config;
      const data = {
        ...rest,
        default_lease_ttl: Number(ttl) || SYSTEM_TTL,
        max_lease_ttl: Number(max) || SYSTEM_TTL,
        description: mount.description,
        ...(Object.keys(mount.options ?? {}).length > 0 ? { options: mount.options } : {}),
        ...(kind === "auths" ? { token_type: mount.config["token_type"] ?? "default-service" } : {}),
      };
      return { ...data, data };
    }
    if (method !== "POST" && method !== "PUT") throw unsupported();
    const options = textMap(body["options"]);
    if (options?.["version"] !== undefined && mount.type === "kv" && options["version"] !== "2") throw badRequest("cannot downgrade mount from version 2");
    const before = JSON.stringify([mount.description, mount.options]);
    if (typeof body["description"] === "string") mount.description = body["description"];
    if (options !== null) mount.options = { ...mount.options, ...options };
    const changed = configure(mount, body);
    if (changed || JSON.stringify([mount.description, mount.options]) !== before) this.core.record("write", `tune ${path}`);
    return undefined;
  }

  /** Where a move is. */
  moveStatus(id: string): Answer {
    const info = this.#moves.get(id);
    if (info === undefined) throw notFound();
    return { data: { migration_id: id, migration_info: info } };
  }

  /** Begins a move: like the real one, this answers before it is done. */
  remount(body: Record<string, unknown>): Answer {
    const kindOf = (path: string): MountKind => (path.startsWith("auth/") ? "auths" : "mounts");
    const [from, to] = [text(body["from"]), text(body["to"])].map((path) => path.replace(/^\/+/, ""));
    if (!from || !to || kindOf(from) !== kindOf(to)) throw badRequest("cannot remount between secrets and auth mounts, or without 'from' and 'to'");
    const kind = kindOf(from);
    const [source, target] = [from, to].map((path) => slashed(path.replace(/^auth\//, "")));
    const table = this.core.state[kind];
    const mount = table[source ?? ""];
    if (mount === undefined || source === undefined || target === undefined) throw badRequest(`no matching mount at "${slashed(from)}"`);
    if (table[target] !== undefined) throw badRequest(`path already in use at "${slashed(to)}"`);
    const data = { migration_id: randomUUID() };
    this.#moves.set(data.migration_id, { source_mount: from, target_mount: to, status: "in-progress" });
    void this.core.ctx.clock.sleep(MOVE_MS).then(() => {
      delete table[source];
      table[target] = mount;
      this.changed.moved(kind, source, target);
      this.#moves.set(data.migration_id, { source_mount: from, target_mount: to, status: "success" });
      this.core.record("write", `remount ${from} ${to}`);
    });
    return { ...data, data, warnings: ["Mount move has been queued. Progress will be reported in Vault's server log, tagged with the returned migration_id"] };
  }

  /** The longest mount that a path is in. */
  find(kind: MountKind, path: string): string | undefined {
    return Object.keys(this.core.state[kind])
      .filter((mount) => `${path}/`.startsWith(mount))
      .sort((a, b) => b.length - a.length)[0];
  }

  describe(path: string): Answer {
    const kind: MountKind = path.startsWith("auth/") ? "auths" : "mounts";
    const found = this.find(kind, path.replace(/^auth\//, ""));
    const mount = found === undefined ? undefined : this.core.state[kind][found];
    if (found === undefined || mount === undefined) return undefined;
    return { data: { ...this.#shown(kind, mount), path: kind === "auths" ? `auth/${found}` : found } };
  }
}
