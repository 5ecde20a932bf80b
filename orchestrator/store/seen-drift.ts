/** The last drift that was found, by stack: `drift.json` beside the runs. Only `status` reads it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../common/files";
import { besideRuns } from "../target/site";

const seenSchema = z.object({
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Resources of the state that differ; null where they could not be looked at. */
  resources: z.number().int().nonnegative().nullable(),
  /** Hosts of the stack that their roles would change; null where one could not be looked at. Missing where no host was looked at. */
  hosts: z.number().int().nonnegative().nullable().optional(),
});
export type SeenDrift = z.infer<typeof seenSchema>;

const fileSchema = z.object({ version: z.literal(1), stacks: z.record(z.string(), seenSchema) });

const fileOf = (runsDir: string): string => besideRuns(runsDir, "drift.json");

/** Empty where nobody has looked for drift yet, or where the file is damaged: the next `homelab drift` writes it anew. */
export function readSeenDrift(runsDir: string): ReadonlyMap<string, SeenDrift> {
  const file = fileOf(runsDir);
  if (!fs.existsSync(file)) return new Map();
  try {
    return new Map(Object.entries(fileSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).stacks));
  } catch {
    return new Map();
  }
}

/** Stacks that were not looked at now keep their last known drift. */
export function writeSeenDrift(runsDir: string, seen: ReadonlyMap<string, SeenDrift>): void {
  fs.mkdirSync(path.dirname(runsDir), { recursive: true, mode: 0o700 });
  const stacks = Object.fromEntries([...readSeenDrift(runsDir), ...seen]);
  writeFileAtomic(fileOf(runsDir), `${JSON.stringify({ version: 1, stacks }, null, 2)}\n`, 0o600);
}
