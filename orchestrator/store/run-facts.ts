/** `run.json`: what a run is, written before its first event. Its arguments are redacted like everything that is written. */
import { z } from "zod";

const processSchema = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string(), pidNamespace: z.string(), machineId: z.string() });

export const runFactsSchema = z.object({
  version: z.literal(1),
  operation: z.string(),
  site: z.enum(["real", "lab"]),
  /** The homelab's domain. */
  siteName: z.string(),
  /** All stacks of the run, in the program's order. */
  stacks: z.array(z.string()),
  /** As typed after `homelab`. */
  arguments: z.array(z.string()),
  startedAt: z.iso.datetime(),
  pid: z.number().int(),
  /** The identity of that process; missing on a system that does not tell it. */
  process: processSchema.optional(),
  /** Of the checkout; missing where there is no git. */
  commit: z.object({ hash: z.string(), clean: z.boolean() }).optional(),
  engine: z.object({ name: z.enum(["pulumi", "embedded"]), why: z.string() }),
});
export type RunFacts = z.infer<typeof runFactsSchema>;

/** Whether an operation is a preview: it leaves nothing in doubt, and settles nothing. */
export const changesNothing = (operation: string | undefined): boolean => operation === "preview" || operation === "preview-destroy";

/** Files of a run's folder. */
export const RUN_FILES = { facts: "run.json", journal: "journal.jsonl", events: "events.jsonl", report: "report.json", page: "report.html" } as const;
