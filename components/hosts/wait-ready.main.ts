/**
 * `node bin/components/hosts/wait-ready.main.js`: waits until a host can be worked on. Takes its task as JSON on standard input,
 * and what it printed the last time (PULUMI_COMMAND_STDOUT); prints one line of JSON. Run by components/hosts/host-ready.ts.
 */
import { z } from "zod";
import { systemClock } from "../../common/clock";
import { readEnv } from "../../common/env";
import { describeError, HomelabError } from "../../common/errors";
import { climb } from "./readiness";
import { openSsh } from "./ssh-session";
import { restartsBetween } from "./vm-changes";

const endpoint = { host: z.string(), port: z.int().optional(), user: z.string(), privateKey: z.string() };
const taskSchema = z.strictObject({
  name: z.string(),
  instance: z.string(),
  restartParts: z.record(z.string(), z.string()),
  budgetSeconds: z.number(),
  target: z.object({ ...endpoint, bastion: z.object(endpoint).optional() }),
});
const resultSchema = z.object({ instance: z.string(), bootId: z.string(), hostKey: z.string(), restartParts: z.record(z.string(), z.string()) });
type Result = z.infer<typeof resultSchema>;

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** What it printed for the same VM the last time. */
function previousResult(instance: string): Result | undefined {
  const text = readEnv("PULUMI_COMMAND_STDOUT");
  if (text === undefined) return undefined;
  const parsed = resultSchema.safeParse(JSON.parse(text));
  return parsed.success && parsed.data.instance === instance ? parsed.data : undefined;
}

async function main(): Promise<void> {
  const parsed = taskSchema.safeParse(JSON.parse(await readInput()));
  if (!parsed.success) throw new HomelabError("E_USAGE", `the task is not of the right form: ${z.prettifyError(parsed.error)}`);
  const { name, instance, restartParts, budgetSeconds, target } = parsed.data;
  const before = previousResult(instance);
  const restarted = before !== undefined && restartsBetween(before.restartParts, restartParts);
  const ready = await climb({
    name,
    // A machine that is another one has another key; the same one keeps it.
    open: (signal) => openSsh({ ...target, hostKey: before?.hostKey }, signal),
    bootBefore: restarted ? before.bootId : undefined,
    budgetMs: budgetSeconds * 1000,
    clock: systemClock,
  });
  process.stdout.write(`${JSON.stringify({ instance, ...ready, restartParts } satisfies Result)}\n`);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${describeError(thrown)}\n`);
  process.exitCode = 1;
});
