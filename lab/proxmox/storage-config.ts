/** The cluster's list of storages: entries that give a name to a place. Removing one removes no data. */
import { createHash } from "node:crypto";
import { PveError, parameterError } from "./errors";
import { contentOf, findStorage, isOn, type Pve, placeOf, roomOf, type Storage } from "./model";
import { type Call, CHECKED, NOT_IN_SCHEMA, type Route, recordWrite, required, route } from "./router";

interface StorageType {
  /** What must be given, and cannot be changed afterwards. */
  fixed: readonly string[];
  optional: readonly string[];
  content: readonly string[];
  defaultContent: string;
}

const COMMON = ["nodes", "disable", "content", "bwlimit"];
const TYPES: Readonly<Record<string, StorageType>> = {
  dir: {
    fixed: ["path"],
    optional: ["shared", "prune-backups", "max-protected-backups", "format", "mkdir", "create-base-path", "create-subdirs", "is_mountpoint", "preallocation"],
    content: ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"],
    defaultContent: "images,rootdir",
  },
  lvm: { fixed: ["vgname"], optional: ["shared", "saferemove", "saferemove_throughput"], content: ["images", "rootdir"], defaultContent: "images" },
  lvmthin: { fixed: ["vgname", "thinpool"], optional: [], content: ["images", "rootdir"], defaultContent: "images,rootdir" },
  zfspool: { fixed: ["pool"], optional: ["blocksize", "sparse", "mountpoint"], content: ["images", "rootdir"], defaultContent: "images,rootdir" },
};
const FIXED = new Set(Object.values(TYPES).flatMap(({ fixed }) => fixed));
const KNOWN = new Set([...FIXED, ...Object.values(TYPES).flatMap(({ optional }) => optional), ...COMMON]);
const BOOLEANS = new Set(["shared", "disable", "mkdir", "create-base-path", "create-subdirs", "saferemove", "sparse"]);

/** Problems that the API's schema finds, before a type is looked at. */
function schemaProblem(key: string, value: string): string | undefined {
  if (BOOLEANS.has(key) && !/^[01]$/.test(value)) return `type check ('boolean') failed - got '${value}'`;
  if (key === "path" && !value.startsWith("/")) return "invalid format - value does not look like a valid absolute path";
  if (key === "max-protected-backups" && !/^-?\d+$/.test(value)) return `type check ('integer') failed - got '${value}'`;
  if (key === "preallocation" && !/^(off|metadata|falloc|full)$/.test(value))
    return `value '${value}' does not have a value in the enumeration 'off, metadata, falloc, full'`;
  return undefined;
}

function checkSchema(parameters: Readonly<Record<string, string>>, known: (key: string) => boolean): void {
  const problems = Object.entries(parameters).flatMap(([key, value]) => {
    const problem = known(key) ? schemaProblem(key, value) : NOT_IN_SCHEMA;
    return problem === undefined ? [] : [[key, problem] as const];
  });
  if (problems.length > 0) throw parameterError(Object.fromEntries(problems));
}

function typeOf(name: string): StorageType {
  const type = TYPES[name];
  if (type === undefined) throw parameterError({ type: `value '${name}' does not have a value in the enumeration '${Object.keys(TYPES).join(", ")}'` });
  return type;
}

/** The options as they are stored. Content types that the storage type does not support are left out: Proxmox warns about them and continues. */
function checkOptions(type: StorageType, given: Readonly<Record<string, string>>): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    if (![...type.fixed, ...type.optional, ...COMMON].includes(key)) throw new PveError(500, `unexpected property '${key}'`);
    options[key] = value;
  }
  if (options["content"] === undefined) return options;
  const content = options["content"].split(",").filter((c) => type.content.includes(c));
  if (content.includes("none") && content.length > 1) throw new PveError(500, "unable to combine 'none' with other content types");
  if (content.length === 0 && !type.content.includes("none")) throw new PveError(500, "storage does not support content type 'none'");
  return { ...options, content: content.join(",") };
}

/** Tries the storage on the node that serves the request, the first one, as Proxmox does. */
function activate(pve: Pve, storage: Storage): void {
  const [first] = pve.site.nodes;
  if (first === undefined || storage.options["disable"] === "1" || !isOn(storage, first.name) || roomOf(pve, storage, first.name) !== undefined) return;
  const { pool, vgname, thinpool } = storage.options;
  if (storage.type === "zfspool")
    throw new PveError(
      500,
      `create storage failed: could not activate storage '${storage.storage}', zfs error: cannot import '${pool}': no such pool available`,
    );
  const hasGroup = first.thinPools.some(({ place }) => place.startsWith(`${vgname}/`));
  throw new PveError(
    500,
    hasGroup ? `create storage failed: no such logical volume ${vgname}/${thinpool}` : `create storage failed: no such volume group '${vgname}'`,
  );
}

/** Gives a new entry the volumes that an earlier entry for the same place had. */
function takeUp(pve: Pve, storage: Storage): void {
  const place = placeOf(storage);
  const name = storage.storage;
  const volumes = pve.state.left.filter((left) => left.place === place).flatMap((left) => left.volumes);
  pve.state.volumes.push(...volumes.map((volume) => ({ ...volume, storage: name, volid: `${name}:${volume.volid.slice(volume.volid.indexOf(":") + 1)}` })));
  pve.state.left = pve.state.left.filter((left) => left.place !== place);
}

function create(call: Call): unknown {
  const { storage: name = "", type: typeName = "", ...given } = call.parameters;
  if (!/^[a-z][a-z0-9\-_.]*[a-z0-9]$/i.test(name)) throw parameterError({ storage: `invalid format - storage ID '${name}' contains illegal characters` });
  const type = typeOf(typeName);
  checkSchema(given, (key) => KNOWN.has(key));
  const { nodes, ...rest } = checkOptions(type, given);
  const missing = type.fixed.find((key) => rest[key] === undefined);
  if (missing !== undefined) throw new PveError(500, `missing value for required option '${missing}'`);
  if (call.pve.state.storages.some((s) => s.storage === name)) throw new PveError(500, `create storage failed: storage ID '${name}' already defined`);
  const options = { content: type.defaultContent, ...rest, ...(nodes === undefined || nodes === "" ? {} : { nodes }) };
  const entry: Storage = { storage: name, type: typeName, options };
  activate(call.pve, entry);
  call.pve.state.storages.push(entry);
  takeUp(call.pve, entry);
  recordWrite(call, name, "storage-create", { type: typeName, ...options });
  return { storage: name, type: typeName };
}

function update(call: Call): unknown {
  const { delete: removed = "", digest, ...given } = call.parameters;
  checkSchema(given, (key) => KNOWN.has(key) && !FIXED.has(key));
  const entry = entryOf(call, "update storage failed: ");
  const type = typeOf(entry.type);
  if (digest !== undefined && digest !== digestOf(call.pve))
    throw new PveError(500, "update storage failed: detected modified configuration - file changed by other user? Try again.");
  const before = JSON.stringify(entry.options);
  const options = checkOptions(type, given);
  for (const key of removed.split(/[,; ]+/).filter((k) => k !== "")) {
    if (type.fixed.includes(key)) throw new PveError(500, `update storage failed: unable to delete required option '${key}'`);
    if (![...type.optional, ...COMMON].includes(key)) throw new PveError(500, `update storage failed: no such option '${key}'`);
    if (options[key] !== undefined) throw new PveError(500, `update storage failed: cannot set and delete property '${key}' at the same time!`);
    delete entry.options[key];
  }
  Object.assign(entry.options, options);
  entry.options["content"] ??= type.defaultContent;
  if (JSON.stringify(entry.options) !== before)
    recordWrite(call, entry.storage, "storage-update", { options: [...Object.keys(given), ...(removed === "" ? [] : [`-${removed}`])] });
  return { storage: entry.storage, type: entry.type };
}

function remove(call: Call): void {
  const { state } = call.pve;
  const entry = entryOf(call, "delete storage failed: ");
  const volumes = state.volumes.filter((volume) => volume.storage === entry.storage);
  if (volumes.length > 0) state.left.push({ place: placeOf(entry), volumes });
  state.volumes = state.volumes.filter((volume) => volume.storage !== entry.storage);
  state.storages = state.storages.filter((s) => s !== entry);
  recordWrite(call, entry.storage, "storage-delete");
}

function entryOf(call: Call, prefix: string): Storage {
  try {
    return findStorage(call.pve, required(call, "storage"));
  } catch (error) {
    throw error instanceof PveError ? new PveError(error.status, `${prefix}${error.message}`) : error;
  }
}

const digestOf = (pve: Pve): string => createHash("sha1").update(JSON.stringify(pve.state.storages)).digest("hex");

function shown(pve: Pve, { storage, type, options }: Storage): Record<string, unknown> {
  const values = Object.entries(options).map(([key, value]) => [key, BOOLEANS.has(key) ? Number(value) : value]);
  return { ...Object.fromEntries(values), storage, type, digest: digestOf(pve) };
}

/** For the API's lists: an entry as one node sees it. */
export function storageStatus(pve: Pve, storage: Storage, node: string): Record<string, unknown> {
  const enabled = storage.options["disable"] !== "1";
  const room = enabled ? roomOf(pve, storage, node) : undefined;
  const total = (room ?? 0) * 1024 ** 3;
  const volumes = pve.state.volumes.filter((v) => v.storage === storage.storage && (v.node === node || storage.options["shared"] === "1"));
  const used = room === undefined ? 0 : volumes.reduce((sum, v) => sum + v.size, 0);
  return {
    type: storage.type,
    content: contentOf(storage).join(","),
    active: room === undefined ? 0 : 1,
    enabled: enabled ? 1 : 0,
    shared: storage.options["shared"] === "1" ? 1 : 0,
    total,
    used,
    avail: Math.max(0, total - used),
    used_fraction: total === 0 ? 0 : used / total,
  };
}

export const STORAGE_CONFIG_ROUTES: readonly Route[] = [
  route("GET", "/storage", ["type"], (call) => {
    const { type } = call.parameters;
    return call.pve.state.storages.filter((s) => type === undefined || s.type === type).map((s) => shown(call.pve, s));
  }),
  route("GET", "/storage/{storage}", [], (call) => shown(call.pve, findStorage(call.pve, required(call, "storage")))),
  route("POST", "/storage", CHECKED, create),
  route("PUT", "/storage/{storage}", CHECKED, update),
  route("DELETE", "/storage/{storage}", [], remove),
];
