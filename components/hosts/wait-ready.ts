/** The task of wait-ready.main.ts, without its process. */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { taskInput } from "../../common/task-input";
import { climb } from "./readiness";
import { openSsh } from "./ssh-session";
import { restartsBetween } from "./vm-changes";

const endpoint = { host: z.string(), port: z.int().optional(), user: z.string(), privateKey: z.string(), hostKey: z.string().optional() };
const taskSchema = z.strictObject({
  name: z.string(),
  /** The Proxmox node that has the VM. Tasks of an earlier version have none. */
  node: z.string().optional(),
  /** The parts of the VM's definition whose change restarts it, by key. */
  restartParts: z.record(z.string(), z.string()),
  budgetSeconds: z.number(),
  target: z.strictObject({ ...endpoint, bastion: z.strictObject(endpoint).optional() }),
});
const resultSchema = z.object({ bootId: z.string(), hostKey: z.string(), restartParts: z.record(z.string(), z.string()) });
type Result = z.infer<typeof resultSchema>;

/**
 * @param input the task as JSON, private keys included
 * @param previous the last output for the same VM: where the definition has changed since in a part that restarts the VM, another boot is
 *   expected
 * @returns one line of JSON
 * @throws HomelabError E_NOT_READY, E_USAGE
 */
export async function waitReady(input: string, previous: string | undefined, clock: Clock): Promise<string> {
  const { name, node, restartParts, budgetSeconds, target } = taskInput(taskSchema, input);
  const before = previous === undefined ? undefined : resultSchema.parse(JSON.parse(previous));
  const restarted = before !== undefined && restartsBetween(before.restartParts, restartParts);
  const ready = await climb({
    name,
    node,
    open: (signal) => openSsh(target, signal),
    bootBefore: restarted ? before.bootId : undefined,
    budgetMs: budgetSeconds * 1000,
    clock,
  });
  return `${JSON.stringify({ ...ready, restartParts } satisfies Result)}\n`;
}
