/** The task of wait-ready.main.ts, without its process. */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { climb } from "./readiness";
import { openSsh } from "./ssh-session";
import { restartsBetween } from "./vm-changes";

const endpoint = { host: z.string(), port: z.int().optional(), user: z.string(), privateKey: z.string() };
const taskSchema = z.strictObject({
  name: z.string(),
  /** Differs from the VM that stood here before. */
  instance: z.string(),
  restartParts: z.record(z.string(), z.string()),
  budgetSeconds: z.number(),
  target: z.object({ ...endpoint, bastion: z.object(endpoint).optional() }),
});
const resultSchema = z.object({ instance: z.string(), bootId: z.string(), hostKey: z.string(), restartParts: z.record(z.string(), z.string()) });
type Result = z.infer<typeof resultSchema>;

/** The last result where it is about the same VM. */
function sameVm(previous: string | undefined, instance: string): Result | undefined {
  if (previous === undefined) return undefined;
  const parsed = resultSchema.safeParse(JSON.parse(previous));
  return parsed.success && parsed.data.instance === instance ? parsed.data : undefined;
}

/**
 * @param input the task as JSON, private keys included
 * @param previous what it gave the last time: where the definition changed so that the VM was restarted, another boot is expected
 * @returns one line of JSON
 * @throws HomelabError E_NOT_READY, E_USAGE
 */
export async function waitReady(input: string, previous: string | undefined, clock: Clock): Promise<string> {
  const parsed = taskSchema.safeParse(JSON.parse(input));
  if (!parsed.success) throw new HomelabError("E_USAGE", `the task is not of the right form: ${z.prettifyError(parsed.error)}`);
  const { name, instance, restartParts, budgetSeconds, target } = parsed.data;
  const before = sameVm(previous, instance);
  const restarted = before !== undefined && restartsBetween(before.restartParts, restartParts);
  const ready = await climb({
    name,
    // A VM that is another one has another key; the same one keeps it.
    open: (signal) => openSsh({ ...target, hostKey: before?.hostKey }, signal),
    bootBefore: restarted ? before.bootId : undefined,
    budgetMs: budgetSeconds * 1000,
    clock,
  });
  return `${JSON.stringify({ instance, ...ready, restartParts } satisfies Result)}\n`;
}
