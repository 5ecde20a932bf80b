/** KV version 2. */
import { VaultError } from "./errors";
import type { KvEntry, VaultState } from "./state";

export interface KvCall {
  method: string;
  /** `data`, `metadata`, `delete`, `undelete`, `destroy` or `config` */
  operation: string;
  /** Path of the entry below the mount. */
  path: string;
  body: Record<string, unknown>;
  query: URLSearchParams;
  now: string;
}

const versionMeta = (entry: KvEntry, number: number) => {
  const version = entry.versions[number - 1];
  return {
    created_time: version?.created ?? "",
    custom_metadata: entry.custom,
    deletion_time: version?.deleted ?? "",
    destroyed: version?.destroyed ?? false,
    version: number,
  };
};

function newEntry(now: string): KvEntry {
  return { versions: [], created: now, updated: now, custom: null, maxVersions: 0, casRequired: false };
}

function write(entries: Record<string, KvEntry>, { path, body, now }: KvCall) {
  const { data, options } = body;
  if (typeof data !== "object" || data === null) throw new VaultError(400, "no data provided");
  const existing = entries[path];
  const cas = typeof options === "object" && options !== null && "cas" in options ? Number(options.cas) : undefined;
  const current = existing?.versions.length ?? 0;
  if (existing?.casRequired && cas === undefined) throw new VaultError(400, "check-and-set parameter required for this call");
  if (cas !== undefined && cas !== current) throw new VaultError(400, "check-and-set parameter did not match the current version");
  const entry = existing ?? newEntry(now);
  entries[path] = entry;
  entry.versions.push({ data: data as Record<string, unknown>, created: now, deleted: "", destroyed: false });
  entry.updated = now;
  return { data: versionMeta(entry, entry.versions.length) };
}

function read(entries: Record<string, KvEntry>, { path, query }: KvCall) {
  const entry = entries[path];
  const number = Number(query.get("version") ?? 0) || (entry?.versions.length ?? 0);
  const version = entry?.versions[number - 1];
  if (entry === undefined || version === undefined) throw new VaultError(404);
  if (version.deleted !== "" || version.destroyed) throw new VaultError(404, undefined, { data: { data: null, metadata: versionMeta(entry, number) } });
  return { data: { data: version.data, metadata: versionMeta(entry, number) } };
}

function metadata(entries: Record<string, KvEntry>, { method, path, body, now }: KvCall) {
  if (method === "LIST") {
    const prefix = path === "" || path.endsWith("/") ? path : `${path}/`;
    const keys = new Set(
      Object.keys(entries)
        .filter((key) => key.startsWith(prefix))
        .map((key) => {
          const rest = key.slice(prefix.length);
          const slash = rest.indexOf("/");
          return slash < 0 ? rest : rest.slice(0, slash + 1);
        }),
    );
    if (keys.size === 0) throw new VaultError(404);
    return { data: { keys: [...keys].sort() } };
  }
  if (method === "DELETE") {
    delete entries[path];
    return undefined;
  }
  if (method === "GET") {
    const entry = entries[path];
    if (entry === undefined) throw new VaultError(404);
    const versions = Object.fromEntries(
      entry.versions.map((v, i) => [String(i + 1), { created_time: v.created, deletion_time: v.deleted, destroyed: v.destroyed }]),
    );
    return {
      data: {
        cas_required: entry.casRequired,
        created_time: entry.created,
        current_version: entry.versions.length,
        custom_metadata: entry.custom,
        delete_version_after: "0s",
        max_versions: entry.maxVersions,
        oldest_version: entry.versions.length > 0 ? 1 : 0,
        updated_time: entry.updated,
        versions,
      },
    };
  }
  const entry = entries[path] ?? newEntry(now);
  entries[path] = entry;
  if (typeof body["custom_metadata"] === "object") entry.custom = body["custom_metadata"] as Record<string, string> | null;
  if (typeof body["max_versions"] === "number") entry.maxVersions = body["max_versions"];
  if (typeof body["cas_required"] === "boolean") entry.casRequired = body["cas_required"];
  return undefined;
}

const numbers = (body: Record<string, unknown>): number[] => (Array.isArray(body["versions"]) ? body["versions"].map(Number) : []);

function mark(entries: Record<string, KvEntry>, { path, body, now, operation }: KvCall, which: number[]): undefined {
  const entry = entries[path];
  if (entry === undefined) return undefined;
  for (const number of which.length > 0 ? which : numbers(body)) {
    const version = entry.versions[number - 1];
    if (version === undefined) continue;
    if (operation === "undelete") version.deleted = "";
    else if (operation === "destroy") {
      version.destroyed = true;
      version.data = null;
    } else version.deleted = now;
  }
  return undefined;
}

/** @returns the answer's body, or undefined for 204 */
export function kv(state: VaultState, mount: string, call: KvCall): Record<string, unknown> | undefined {
  const entries = state.kv[mount] ?? {};
  state.kv[mount] = entries;
  switch (`${call.operation} ${call.method}`) {
    case "data POST":
    case "data PUT":
      return write(entries, call);
    case "data PATCH": {
      const current = entries[call.path]?.versions.at(-1)?.data;
      if (current === undefined || current === null) throw new VaultError(404);
      return write(entries, { ...call, body: { ...call.body, data: { ...current, ...(call.body["data"] as object) } } });
    }
    case "data GET":
      return read(entries, call);
    case "data DELETE":
      return mark(entries, call, [entries[call.path]?.versions.length ?? 0]);
    case "delete POST":
    case "delete PUT":
    case "undelete POST":
    case "undelete PUT":
    case "destroy POST":
    case "destroy PUT":
      return mark(entries, call, []);
    case "config GET":
      return { data: { cas_required: false, delete_version_after: "0s", max_versions: 0 } };
    case "config POST":
    case "config PUT":
      return undefined;
    default:
      if (call.operation === "metadata") return metadata(entries, call);
      throw new VaultError(405, "unsupported operation");
  }
}
