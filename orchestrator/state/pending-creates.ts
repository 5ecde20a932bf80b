/**
 * Pending creations that a killed engine left in a stack's state: the resource may exist, and the state does not hold it. If the
 * inputs determine its id, it is looked up: an existing resource is adopted into the state, and the entry of a missing one is removed.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { z } from "zod";
import { engineAnswer } from "../target/engine-answer";

/** Runs a command of the engine in the stack's project; resolves with its output. */
export type EngineCommand = (args: readonly string[], env: Record<string, string>) => Promise<string>;

/** A state as `stack export` prints it, as far as it is read here. */
const stateSchema = z.looseObject({
  // A new stack has none.
  deployment: z
    .looseObject({
      resources: z
        .array(z.looseObject({ urn: z.string(), parent: z.string().optional(), retainOnDelete: z.boolean().optional(), delete: z.boolean().optional() }))
        .nullish(),
      pending_operations: z
        .array(
          z.looseObject({
            type: z.string(),
            resource: z.looseObject({ urn: z.string(), type: z.string(), inputs: z.record(z.string(), z.unknown()).optional() }),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

export interface PendingCreate {
  urn: string;
  type: string;
  /** The id that the resource has, if it exists; undefined where its inputs do not determine it. */
  id: string | undefined;
}

type Inputs = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | undefined => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);
const joined = (parts: readonly unknown[], write: (...parts: string[]) => string): string | undefined => {
  const known = parts.map(text);
  return known.every((part) => part !== undefined) ? write(...known) : undefined;
};

/**
 * Ids of resources whose names the program chooses, in the form that an import takes: without outputs in the state, official plugins accept
 * no other form. Reading such a resource gives the id that a creation gives (docs/providers.md has them by type).
 */
export const ID_OF: Readonly<Record<string, (inputs: Inputs) => string | undefined>> = {
  "proxmoxve:index/vmLegacy:VmLegacy": ({ nodeName, vmId }) => joined([nodeName, vmId], (node, id) => `${node}/${id}`),
  "proxmoxve:download/fileLegacy:FileLegacy": ({ nodeName, datastoreId, contentType, fileName }) =>
    joined([nodeName, datastoreId, contentType, fileName], (node, datastore, content, file) => `${node}/${datastore}:${content}/${file}`),
  "proxmoxve:network/linux/bridge:Bridge": ({ nodeName, name }) => joined([nodeName, name], (node, bridge) => `${node}:${bridge}`),
  "proxmoxve:storage/directory:Directory": ({ resourceId }) => text(resourceId),
  "proxmoxve:storage/lvm:Lvm": ({ resourceId }) => text(resourceId),
  "proxmoxve:storage/lvmthin:Lvmthin": ({ resourceId }) => text(resourceId),
  "proxmoxve:storage/zfspool:Zfspool": ({ resourceId }) => text(resourceId),
  "vault:index/mount:Mount": ({ path }) => text(path),
  "vault:index/policy:Policy": ({ name }) => text(name),
  "vault:index/authBackend:AuthBackend": ({ path, type }) => text(path) ?? text(type),
  "vault:index/audit:Audit": ({ path, type }) => text(path) ?? text(type),
};

type State = z.output<typeof stateSchema>;

/** The stack's state as the engine exports it, secrets encrypted. */
export const readState = async (run: EngineCommand, stack: string): Promise<State> =>
  engineAnswer(stateSchema, await run(["stack", "export", "--stack", stack], {}), `stack export --stack ${stack}`);

/** Imports the state into the stack, with some parts replaced. */
export async function writeState(
  run: EngineCommand,
  stack: string,
  state: State,
  parts: { pending_operations: readonly object[] } | { resources: readonly object[] },
): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-state-"));
  try {
    // Its secrets are encrypted, as in the state.
    const file = path.join(dir, "state.json");
    fs.writeFileSync(file, JSON.stringify({ ...state, deployment: { ...state.deployment, ...parts } }), { mode: 0o600 });
    await run(["stack", "import", "--file", file, "--stack", stack], {});
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

export async function pendingCreates(run: EngineCommand, stack: string): Promise<PendingCreate[]> {
  const { deployment } = await readState(run, stack);
  return (deployment?.pending_operations ?? [])
    .filter(({ type }) => type === "creating")
    .map(({ resource: { urn, type, inputs = {} } }) => ({ urn, type, id: ID_OF[type]?.(inputs) }));
}

/** Refreshes the stack: existing ones are taken into the state, entries of missing ones are removed. @returns those that were looked for */
export async function adoptPending(run: EngineCommand, stack: string, pending: readonly PendingCreate[]): Promise<PendingCreate[]> {
  const known = pending.filter(({ id }) => id !== undefined);
  if (known.length === 0) return [];
  const imports = known.flatMap(({ urn, id = "" }) => ["--import-pending-creates", urn, "--import-pending-creates", id]);
  await run(["refresh", "--yes", "--skip-preview", "--stack", stack, ...imports], {});
  return known;
}

const isNamed = ({ metadata }: Inputs): boolean => typeof metadata === "object" && metadata !== null && text(Reflect.get(metadata, "name")) !== undefined;

/** What is written to a path of Vault that the program chooses, where whatever was there before is replaced. */
const VAULT_PATHS = new Set([
  "vault:kv/secretV2:SecretV2",
  "vault:kubernetes/authBackendConfig:AuthBackendConfig",
  "vault:kubernetes/authBackendRole:AuthBackendRole",
]);

/**
 * Whether repeating the creation leaves only one: a command may be interrupted and run again, an object is applied under its own name, a
 * namespace has one release of a name, Vault has one entry at a path, and what has an id that the inputs determine cannot be there twice.
 */
const isMadeOnce = ({ type, inputs = {} }: { type: string; inputs?: Inputs | undefined }): boolean => {
  if (type === "kubernetes:helm.sh/v3:Release") return text(inputs["name"]) !== undefined;
  if (/^command:(local|remote):Command$/.test(type) || VAULT_PATHS.has(type)) return true;
  return type.startsWith("kubernetes:") ? isNamed(inputs) : ID_OF[type]?.(inputs) !== undefined;
};

/**
 * Removes pending creations from the state after an update that succeeded, where the update has made the same resource again and the
 * interrupted creation cannot have left another one. An update by itself keeps all pending creations.
 * @returns URNs of the removed ones
 */
export async function settleRemade(run: EngineCommand, stack: string): Promise<string[]> {
  const whole = await readState(run, stack);
  const { deployment } = whole;
  const made = new Set((deployment?.resources ?? []).map(({ urn }) => urn));
  const pending = deployment?.pending_operations ?? [];
  const settled = pending.filter(({ type, resource }) => type === "creating" && made.has(resource.urn) && isMadeOnce(resource));
  if (settled.length === 0) return [];
  const left = pending.filter((operation) => !settled.includes(operation));
  await writeState(run, stack, whole, { pending_operations: left });
  return settled.map(({ resource }) => resource.urn);
}

/** Removes all pending creations of a stack from its state. The caller has checked that none of them exists. */
export async function clearPending(run: EngineCommand, stack: string): Promise<void> {
  await run(["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack], {});
}
