/** The recorded cases, how one is run, and which of them start the processes of a real operation. */
import * as fs from "node:fs";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { EngineProcess } from "../../support/engine-process";
import { expectedOf } from "./deliberate";
import { CaseRun, type RecordedCase, type RecordedStep } from "./recorded-case";

export const CASES: readonly RecordedCase[] = ["cases", "more-cases"].flatMap((folder) => {
  const within = path.join(__dirname, folder);
  return fs.readdirSync(within).map((file): RecordedCase => JSON.parse(fs.readFileSync(path.join(within, file), "utf8")));
});

/** The program ends at the registration that is refused; the SDK's server of inline programs would go on. */
const ENDS_ITS_PROGRAM = ["duplicate-name"];

/** Cases that a process that stays cannot run: those with a program folder of their own, and programs that end their process. */
export const needsProcesses = ({ name, program, steps }: RecordedCase): boolean =>
  program !== undefined || ENDS_ITS_PROGRAM.includes(name) || steps.some(({ env }) => env?.["THROW"] !== undefined);

/** A command and how it ends. */
const kindOf = ({ op, argv = [], expect }: RecordedStep): string => `${op ?? argv.slice(0, 2).join(" ")} ${expect["exitCode"]}`;

/** All that need processes, and beside them few and short ones with every kind of command that those do not have. */
export function sampleOf(cases: readonly RecordedCase[]): readonly RecordedCase[] {
  const kindsOf = ({ steps }: RecordedCase): Set<string> => new Set(steps.map(kindOf));
  const sample = new Set(cases.filter(needsProcesses));
  const left = new Set(cases.flatMap((recorded) => [...kindsOf(recorded)]));
  const covered = (recorded: RecordedCase): void => {
    for (const kind of kindsOf(recorded)) left.delete(kind);
  };
  for (const recorded of sample) covered(recorded);
  // New kinds per command; the command that makes the stack counts as one.
  const worth = (recorded: RecordedCase): number => [...kindsOf(recorded)].filter((kind) => left.has(kind)).length / (recorded.steps.length + 1);
  while (left.size > 0) {
    const best = cases.reduce((one, other) => (worth(other) > worth(one) ? other : one));
    sample.add(best);
    covered(best);
  }
  return cases.filter((recorded) => sample.has(recorded));
}

/** Runs a case step by step, and compares each step with what the CLI did, except for deliberate differences. */
export async function holds(pulumi: string | EngineProcess, recorded: RecordedCase): Promise<void> {
  const run = new CaseRun(pulumi, recorded.program);
  try {
    expect(await run.init()).toMatchObject({ status: 0 });
    for (const [i, step] of recorded.steps.entries()) {
      const { seen, faults, stderr } = await run.step(step);
      const expected = expectedOf(recorded.name, i, step.expect);
      // Where something differs, what the command said is shown as well.
      const isSame = isDeepStrictEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(JSON.stringify(expected)));
      expect({ ...seen, stderr: isSame ? "" : stderr }).toEqual({ ...expected, stderr: "" });
      expect(faults).toEqual([]);
    }
  } finally {
    run.close();
  }
}
