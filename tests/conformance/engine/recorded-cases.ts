/** The recorded cases, how one is run, and which of them start the processes of a real operation. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { EngineProcess } from "../../support/engine-process";
import { expectedOf } from "./deliberate";
import { CaseRun, type RecordedCase, type RecordedStep } from "./recorded-case";

export const CASES: readonly RecordedCase[] = ["cases", "more-cases"].flatMap((folder) => {
  const within = path.join(__dirname, folder);
  return fs.readdirSync(within).map((file): RecordedCase => JSON.parse(fs.readFileSync(path.join(within, file), "utf8")));
});

/** The program ends at the registration that is refused; the SDK's server of inline programs would go on. */
const ENDS_ITS_PROGRAM = ["duplicate-name"];

/** What a process that stays cannot run: programs of their own folder, and those that end by themselves. */
export const needsProcesses = ({ name, program, steps }: RecordedCase): boolean =>
  program !== undefined || ENDS_ITS_PROGRAM.includes(name) || steps.some(({ env }) => env?.["THROW"] !== undefined);

/** A command and how it ends. */
const kindOf = ({ op, argv = [], expect }: RecordedStep): string => `${op ?? argv.slice(0, 2).join(" ")} ${expect["exitCode"]}`;

/** Of each kind of command the first case that has it, the shortest cases first; and all that need processes. */
export function sampleOf(cases: readonly RecordedCase[]): readonly RecordedCase[] {
  const seen = new Set<string>();
  const byLength = cases.toSorted((a, b) => a.steps.length - b.steps.length || (a.name < b.name ? -1 : 1));
  const first = byLength.filter(({ steps }) => {
    const before = seen.size;
    for (const step of steps) seen.add(kindOf(step));
    return seen.size > before;
  });
  return cases.filter((recorded) => needsProcesses(recorded) || first.includes(recorded));
}

/** Runs it step by step, and holds each to what the CLI did, but for what is listed as deliberate. */
export async function holds(pulumi: string | EngineProcess, recorded: RecordedCase): Promise<void> {
  const run = new CaseRun(pulumi, recorded.program);
  try {
    expect(await run.init()).toMatchObject({ status: 0 });
    for (const [i, step] of recorded.steps.entries()) {
      const { seen, faults, stderr } = await run.step(step);
      const expected = expectedOf(recorded.name, i, step.expect);
      expect({ ...seen, stderr: seen["exitCode"] === expected["exitCode"] ? "" : stderr }).toEqual({ ...expected, stderr: "" });
      expect(faults).toEqual([]);
    }
  } finally {
    run.close();
  }
}
