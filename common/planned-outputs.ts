import * as path from "node:path";
import { z } from "zod";

/**
 * What one stack's run hands to the stacks downstream of it, as `<dir>/<stack>.json` (0600, in a 0700 folder that the
 * orchestrator makes for one run and removes). Written by the program at its end (stacks/), read by the programs
 * downstream and, for its summary, by the orchestrator.
 */
export const plannedOutputsSchema = z.strictObject({
  version: z.literal(1),
  stack: z.string(),
  /** Output name to its planned value. `known: false` has no value. */
  outputs: z.record(z.string(), z.strictObject({ known: z.boolean(), secret: z.boolean(), value: z.unknown().optional() })),
  /** Upstream outputs that this stack used while they were unknown, as `tools.vaultToken`; empty when the preview is complete. */
  usedUnknowns: z.array(z.string()),
});

export type PlannedOutputs = z.infer<typeof plannedOutputsSchema>;

/** Where a stack's planned outputs stand. */
export const plannedOutputsFile = (folder: string, stack: string): string => path.join(folder, `${stack}.json`);

/**
 * Exists from the start of the run until the stack's preview has ended. Until then the stacks downstream wait for its planned
 * outputs; afterwards, if there are none, they go on without them.
 */
export const pendingFile = (folder: string, stack: string): string => path.join(folder, `${stack}.pending`);
