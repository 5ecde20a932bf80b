/** The progress of a rebuild: `rebuild.json` beside the runs, so that the same command can continue after an interruption. */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";
import { besideRuns } from "../target/site";

const recordSchema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  /** URL of the backend in which the states are to be. */
  target: z.string(),
  /** URL of the folder in which the states of the first stacks are made; missing where the target does not need these stacks. */
  local: z.string().optional(),
  /** Whether what exists is taken into the states. */
  existing: z.boolean(),
  /** Whether the states of the first stacks are in the target. */
  moved: z.boolean(),
});
export type RebuildRecord = z.infer<typeof recordSchema>;

const fileOf = (runsDir: string): string => besideRuns(runsDir, "rebuild.json");

/** @throws HomelabError E_REBUILD for a file that is damaged */
export function readRebuild(runsDir: string): RebuildRecord | undefined {
  const file = fileOf(runsDir);
  if (!fs.existsSync(file)) return undefined;
  try {
    return recordSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch (cause) {
    throw new HomelabError("E_REBUILD", `${file} is not what a rebuild writes`, {
      cause,
      subject: file,
      hint: "remove it; then say with --to in which backend the states are to be",
    });
  }
}

/** A line where a rebuild has begun and not ended: only `homelab rebuild` knows in which backend each state belongs. */
export function rebuildLines(runsDir: string): string[] {
  const begun = readRebuild(runsDir);
  return begun === undefined ? [] : [`the rebuild of ${begun.startedAt} is not done: \`homelab rebuild\` goes on with it`];
}

export function writeRebuild(runsDir: string, record: RebuildRecord): void {
  fs.mkdirSync(path.dirname(runsDir), { recursive: true, mode: 0o700 });
  writeFileAtomic(fileOf(runsDir), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

export const endRebuild = (runsDir: string): void => fs.rmSync(fileOf(runsDir), { force: true });
