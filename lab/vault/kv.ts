/** KV version 2. */
import { posix } from "node:path";
import type { Answer, Call, Core } from "./core";
import { badRequest, notFound, unsupported, VaultError } from "./errors";
import type { KvEntry, KvStore } from "./state";
import { flag, goDuration, seconds } from "./values";

/** The default number of versions that an entry keeps. */
const DEFAULT_VERSIONS = 10;

export const newStore = (): KvStore => ({ maxVersions: 0, casRequired: false, deleteVersionAfter: "0s", entries: {} });

/**
 * The entry that a path means. Vault 1.21 checks a policy for the path as it was decoded, in which `..` is a part like any other, and
 * resolves it here; `..` that leads out of the mount stays a name. It keeps the values of each version under the path by which they were written, and finds them only by that one.
 * Measured with `..` and `//` that came encoded, in writes, reads and deletions (docs/adr/0020-depth-of-vault-entries.md).
 */
const resolvedPath = (path: string): string => (path === "" ? "" : posix.normalize(path).replace(/^\/|\/$/g, ""));

export class Kv {
  constructor(private readonly core: Core) {}

  #store(mount: string): KvStore {
    const store = this.core.state.kv[mount] ?? newStore();
    this.core.state.kv[mount] = store;
    return store;
  }

  exists(mount: string, rest: string): boolean {
    const [operation, ...path] = rest.split("/");
    return (operation === "data" || operation === "metadata") && this.#store(mount).entries[resolvedPath(path.join("/"))] !== undefined;
  }

  handle(mount: string, rest: string, call: Call): Answer {
    const [operation = "", ...parts] = rest.split("/");
    const written = parts.join("/");
    const path = resolvedPath(written);
    const store = this.#store(mount);
    const writes = call.method === "POST" || call.method === "PUT" || call.method === "PATCH";
    switch (operation) {
      case "config":
        return writes
          ? this.#configure(mount, store, call.body)
          : { data: { cas_required: store.casRequired, delete_version_after: store.deleteVersionAfter, max_versions: store.maxVersions } };
      case "data":
        if (written === "") throw call.method === "LIST" ? unsupported() : notFound();
        if (writes) return this.#write(store, path, written, call);
        if (call.method === "GET") return this.#read(store, path, written, call.query);
        if (call.method === "DELETE") return this.#mark(store, path, "delete", [store.entries[path]?.current ?? 0]);
        throw unsupported();
      case "metadata":
        if (written === "" && call.method !== "LIST") throw unsupported();
        return this.#metadata(store, path, call);
      case "delete":
      case "undelete":
      case "destroy": {
        if (!writes) throw unsupported();
        const versions = call.body["versions"];
        if (!Array.isArray(versions) || versions.length === 0) throw badRequest("No version number provided");
        return this.#mark(store, path, operation, versions.map(Number));
      }
      case "subkeys":
        throw this.core.notModelled(`${call.method} /v1/${call.path}`);
      default:
        // The engine has no such path; the answer is a real Vault's.
        throw new VaultError(404, undefined, {
          warnings: ["Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use."],
        });
    }
  }

  #configure(mount: string, store: KvStore, body: Record<string, unknown>): Answer {
    const before = JSON.stringify({ ...store, entries: undefined });
    if (body["max_versions"] !== undefined) store.maxVersions = Number(body["max_versions"]);
    if (body["cas_required"] !== undefined) store.casRequired = flag(body["cas_required"]);
    if (body["delete_version_after"] !== undefined) store.deleteVersionAfter = goDuration(seconds(body["delete_version_after"]));
    if (JSON.stringify({ ...store, entries: undefined }) !== before) this.core.record("write", `kv-config ${mount}`);
    return undefined;
  }

  #version(entry: KvEntry, number: number): Record<string, unknown> {
    const version = entry.versions[number];
    return {
      created_time: version?.created ?? "",
      custom_metadata: entry.custom,
      deletion_time: version?.deleted ?? "",
      destroyed: version?.destroyed ?? false,
      version: number,
    };
  }

  #isDeleted(deleted: string): boolean {
    return deleted !== "" && Date.parse(deleted) <= this.core.now() * 1000 + 999;
  }

  #entry(store: KvStore, path: string): KvEntry {
    const now = this.core.time();
    const entry = store.entries[path] ?? {
      versions: {},
      current: 0,
      oldest: 0,
      created: now,
      updated: now,
      custom: null,
      maxVersions: 0,
      casRequired: false,
      deleteVersionAfter: "0s",
    };
    store.entries[path] = entry;
    return entry;
  }

  #write(store: KvStore, path: string, written: string, { method, body }: Call): Answer {
    const { data, options } = body;
    if (typeof data !== "object" || Array.isArray(data)) throw badRequest("no data provided");
    const existing = store.entries[path];
    const current = existing?.current ?? 0;
    const live = existing?.versions[String(current)];
    if (method === "PATCH" && existing === undefined) throw notFound();
    const cas = typeof options === "object" && options !== null && "cas" in options ? Number(options.cas) : undefined;
    if (Number.isNaN(cas)) throw badRequest("error parsing check-and-set parameter");
    if ((store.casRequired || existing?.casRequired) && cas === undefined) throw badRequest("check-and-set parameter required for this call");
    if (cas !== undefined && cas !== current) throw badRequest("check-and-set parameter did not match the current version");
    if (method === "PATCH" && live === undefined) throw notFound();
    if (method === "PATCH" && existing !== undefined && (live?.destroyed || this.#isDeleted(live?.deleted ?? "")))
      throw new VaultError(404, undefined, { data: this.#version(existing, current) });
    const entry = this.#entry(store, path);
    const now = this.core.time();
    const lifetime = seconds(entry.deleteVersionAfter) || seconds(store.deleteVersionAfter);
    const next = method === "PATCH" ? patched(live?.data ?? {}, (data ?? {}) as Record<string, unknown>) : (data as Record<string, unknown> | null);
    entry.current = current + 1;
    entry.versions[entry.current] = {
      data: next,
      created: now,
      deleted: lifetime > 0 ? new Date((this.core.now() + lifetime) * 1000).toISOString() : "",
      destroyed: false,
      ...(written === path ? {} : { writtenAs: written }),
    };
    entry.updated = now;
    this.#trim(store, entry);
    this.core.record("write", `kv-put ${path}`);
    const ignored = Object.keys(body)
      .filter((key) => key !== "data" && key !== "options")
      .toSorted();
    const warnings = ignored.length > 0 ? [`Endpoint ignored these unrecognized parameters: [${ignored.join(" ")}]`] : null;
    return { data: this.#version(entry, entry.current), warnings };
  }

  #trim(store: KvStore, entry: KvEntry): void {
    const kept = entry.maxVersions || store.maxVersions || DEFAULT_VERSIONS;
    for (const number of Object.keys(entry.versions)) if (Number(number) <= entry.current - kept) delete entry.versions[number];
    if (entry.current >= kept) entry.oldest = Math.max(entry.oldest, entry.current - kept + 1);
  }

  #read(store: KvStore, path: string, written: string, query: URLSearchParams): Answer {
    const entry = store.entries[path];
    const asked = Number(query.get("version") ?? 0);
    if (Number.isNaN(asked)) throw badRequest(`Field validation failed: error converting input for field "version": '' cannot parse value as 'int'`);
    const number = asked || (entry?.current ?? 0);
    const version = entry?.versions[number];
    if (entry === undefined || version === undefined) throw notFound();
    if (version.destroyed || this.#isDeleted(version.deleted))
      throw new VaultError(404, undefined, { data: { data: null, metadata: this.#version(entry, number) } });
    if ((version.writtenAs ?? path) !== written) throw new VaultError(500, "1 error occurred:\n\t* could not find version data\n\n");
    this.core.record("read", `kv-get ${path}`);
    return { data: { data: version.data, metadata: this.#version(entry, number) } };
  }

  #mark(store: KvStore, path: string, operation: "delete" | "undelete" | "destroy", numbers: readonly number[]): Answer {
    const entry = store.entries[path];
    if (entry === undefined) return undefined;
    const before = JSON.stringify(entry.versions);
    for (const number of numbers) {
      const version = entry.versions[number];
      if (version === undefined || version.destroyed) continue;
      if (operation === "undelete") version.deleted = "";
      else if (operation === "destroy") Object.assign(version, { destroyed: true, data: null });
      else if (!this.#isDeleted(version.deleted)) version.deleted = this.core.time();
    }
    if (JSON.stringify(entry.versions) === before) return undefined;
    entry.updated = this.core.time();
    this.core.record("write", `kv-${operation} ${path}`);
    return undefined;
  }

  #metadata(store: KvStore, path: string, { method, body }: Call): Answer {
    if (method === "LIST") return this.#list(store, path);
    const existing = store.entries[path];
    if (method === "GET") {
      if (existing === undefined) throw notFound();
      return { data: this.#shown(existing) };
    }
    if (method === "DELETE") {
      if (existing === undefined) return undefined;
      delete store.entries[path];
      this.core.record("write", `kv-delete-all ${path}`);
      return undefined;
    }
    if (method === "PATCH" && existing === undefined) throw notFound();
    if (method !== "PATCH" && Object.keys(body).length === 0) return undefined;
    // Checked first, since a refused request must make no entry.
    const [custom, lifetime] = [customMetadata(body["custom_metadata"]), seconds(body["delete_version_after"])];
    const before = JSON.stringify(existing);
    const entry = this.#entry(store, path);
    if (body["custom_metadata"] !== undefined) {
      const next = { ...(method === "PATCH" ? entry.custom : {}), ...custom };
      // Null removes a key.
      const left = Object.entries(next).filter((pair): pair is [string, string] => pair[1] !== null);
      entry.custom = left.length > 0 ? Object.fromEntries(left) : null;
    }
    if (body["max_versions"] !== undefined) entry.maxVersions = Number(body["max_versions"]);
    if (body["cas_required"] !== undefined) entry.casRequired = flag(body["cas_required"]);
    if (body["delete_version_after"] !== undefined) entry.deleteVersionAfter = goDuration(lifetime);
    if (JSON.stringify(entry) !== before) this.core.record("write", `kv-metadata ${path}`);
    return undefined;
  }

  #shown(entry: KvEntry): Record<string, unknown> {
    const versions = Object.entries(entry.versions).map(([number, v]) => [
      number,
      { created_time: v.created, deletion_time: v.deleted, destroyed: v.destroyed },
    ]);
    return {
      cas_required: entry.casRequired,
      created_time: entry.created,
      current_version: entry.current,
      custom_metadata: entry.custom,
      delete_version_after: entry.deleteVersionAfter,
      max_versions: entry.maxVersions,
      oldest_version: entry.oldest,
      updated_time: entry.updated,
      versions: Object.fromEntries(versions),
    };
  }

  #list(store: KvStore, path: string): Answer {
    const prefix = path === "" ? "" : `${path}/`;
    const below = Object.keys(store.entries).filter((key) => key.startsWith(prefix));
    const keys = new Set(below.map((key) => /^[^/]+\/?/.exec(key.slice(prefix.length))?.[0] ?? ""));
    if (keys.size === 0) throw notFound();
    return { data: { keys: [...keys].sort() } };
  }
}

/** @throws VaultError 400 where a value is no text or number */
function customMetadata(given: unknown): Record<string, string | null> {
  const pairs = Object.entries(typeof given === "object" && given !== null ? given : {});
  if (pairs.some(([, value]) => typeof value === "object" && value !== null))
    throw badRequest("custom_metadata validation failed: '' expected type 'string', got unconvertible type 'map[string]interface {}'");
  return Object.fromEntries(pairs.map(([key, value]) => [key, value === null ? null : String(value)]));
}

/** JSON merge patch (RFC 7396). */
function patched(current: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  const result = { ...current };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else if (typeof value === "object" && !Array.isArray(value)) {
      const inner = result[key];
      result[key] = patched(
        typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {},
        value as Record<string, unknown>,
      );
    } else result[key] = value;
  }
  return result;
}
