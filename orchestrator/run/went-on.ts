/**
 * Whether another machine or checkout has worked on a stack since a run here was interrupted. Each checkout has its own folders of runs. The
 * state backend is what they share: its history names each operation that ended.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { RUN_FILES } from "../store/run-facts";
import type { RunRecord } from "../store/run-records";
import { stackNames } from "../target/engine";
import { engineAnswer } from "../target/engine-answer";

/** As both engines print it. */
const historySchema = z.array(z.looseObject({ kind: z.string(), startTime: z.string() }));
const eventSchema = z.looseObject({ at: z.number() });

type Update = z.infer<typeof historySchema>[number];

/** Milliseconds since the epoch at which the run was last seen alive; 0 where nothing of it can be read. */
export function lastSeen({ dir, lines }: Pick<RunRecord, "dir" | "lines">): number {
  const file = path.join(dir, RUN_FILES.events);
  const events = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
  const times = events.flatMap((line) => {
    try {
      return [eventSchema.parse(JSON.parse(line)).at];
    } catch {
      // The last line may be incomplete, and a line that is no event has no time.
      return [];
    }
  });
  return Math.max(0, ...times.slice(-1), ...lines.flatMap(({ at }) => at ?? []));
}

/**
 * The newest operation that began on a stack after the run was last seen. The run held the stack's lock until then, so it is not the run's own.
 * @param updates in any order
 */
export function laterThan(seen: number, updates: readonly Update[]): Update | undefined {
  // An operation whose time cannot be read may be later, so it counts.
  return updates.filter(({ startTime }) => !(Date.parse(startTime) <= seen)).toSorted((a, b) => Date.parse(b.startTime) - Date.parse(a.startTime))[0];
}

/**
 * @param engine runs a command of the engine
 * @throws HomelabError E_WENT_ON where somebody else has worked on one of the stacks since
 */
export async function refuseIfWentOn(
  record: Pick<RunRecord, "dir" | "lines">,
  { operation, stacks }: { operation: string; stacks: readonly string[] },
  engine: (args: readonly string[]) => Promise<string>,
): Promise<void> {
  const seen = lastSeen(record);
  const there = await stackNames(engine);
  for (const stack of stacks.filter((name) => there.has(name))) {
    const text = (await engine(["stack", "history", "--stack", stack, "--json"])).trim();
    const later = laterThan(seen, text === "" ? [] : engineAnswer(historySchema, text, `stack history --stack ${stack} --json`));
    if (later === undefined) continue;
    throw new HomelabError("E_WENT_ON", `another run has worked on ${stack} since this one was cut: ${later.kind} of ${later.startTime}`, {
      subject: stack,
      hint: `look at it (\`homelab status\`), then say what is to be done: \`homelab ${operation} ${stacks.join(" ")}\` goes on, \`homelab up ${stacks.join(" ")}\` builds what is missing`,
    });
  }
}
