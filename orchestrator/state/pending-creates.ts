/**
 * Creations that a killed engine left open in a stack's state: the resource may exist, and the state does not hold it. Where the
 * inputs say under which id it would exist, it can be looked for: what is there is taken into the state, what is not is forgotten.
 */
import { z } from "zod";

/** Runs a command of the engine in the stack's project; resolves with its output. */
export type EngineCommand = (args: readonly string[], env: Record<string, string>) => Promise<string>;

const exportSchema = z.looseObject({
  deployment: z.looseObject({
    pending_operations: z
      .array(
        z.looseObject({
          type: z.string(),
          resource: z.looseObject({ urn: z.string(), type: z.string(), inputs: z.record(z.string(), z.unknown()).optional() }),
        }),
      )
      .nullish(),
  }),
});

export interface PendingCreate {
  urn: string;
  type: string;
  /** Under which it exists, if it does; undefined where its inputs do not tell. */
  id: string | undefined;
}

type Inputs = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | undefined => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);
const joined = (parts: readonly unknown[], write: (...parts: string[]) => string): string | undefined => {
  const known = parts.map(text);
  return known.every((part) => part !== undefined) ? write(...known) : undefined;
};

/**
 * Ids of what is made under a name of the program's choice, in the form in which an import takes them: an official plugin knows no
 * other where the state has no outputs. Reading it gives the id that a creation gives (docs/providers.md has them by type).
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

export async function pendingCreates(run: EngineCommand, stack: string): Promise<PendingCreate[]> {
  const { deployment } = exportSchema.parse(JSON.parse(await run(["stack", "export", "--stack", stack], {})));
  return (deployment.pending_operations ?? [])
    .filter(({ type }) => type === "creating")
    .map(({ resource: { urn, type, inputs = {} } }) => ({ urn, type, id: ID_OF[type]?.(inputs) }));
}

/** What exists of these comes into the state, and what does not is forgotten. The stack is refreshed for it. @returns those that were looked for */
export async function adoptPending(run: EngineCommand, stack: string, pending: readonly PendingCreate[]): Promise<PendingCreate[]> {
  const known = pending.filter(({ id }) => id !== undefined);
  if (known.length === 0) return [];
  const imports = known.flatMap(({ urn, id = "" }) => ["--import-pending-creates", urn, "--import-pending-creates", id]);
  await run(["refresh", "--yes", "--skip-preview", "--stack", stack, ...imports], {});
  return known;
}

/** Forgets all open creations of a stack: for who has looked that nothing of them is there. */
export async function clearPending(run: EngineCommand, stack: string): Promise<void> {
  await run(["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack], {});
}
