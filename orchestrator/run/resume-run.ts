/** `resume`: continues the last run that was interrupted by a crash, a kill or a power cut. */
import { type Arguments, forOnly } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { foldRuns, type RunsFold } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import { engineOf, engineRunner } from "../target/engine";
import { listStacks } from "../target/program";
import { openSite } from "../target/site";
import { doubtLines } from "./doubt-text";
import { REAL_PARTS, type RunParts } from "./run-setup";
import { type RunCommand, runStacks } from "./run-stacks";
import { refuseIfWentOn } from "./went-on";

/** An operation that has to run so that nothing is left of interrupted runs. */
interface Step {
  operation: RunCommand;
  stacks: string[];
}

const isCommand = (operation: string): operation is RunCommand => operation === "up" || operation === "refresh" || operation === "destroy";

/**
 * What is left of the newest unfinished run, with its own operation. Stacks in doubt that are not part of that run are only read again:
 * nobody asked for them to be changed. In the order in which they have to run.
 * @param known the program's stacks: others cannot be run
 */
export function stepsOf({ unfinished, inDoubt }: Pick<RunsFold, "unfinished" | "inDoubt">, known: ReadonlySet<string>): Step[] {
  const operation = unfinished?.operation ?? "";
  const left = isCommand(operation) ? (unfinished?.left ?? []).filter((stack) => known.has(stack)) : [];
  const others = inDoubt.filter((stack) => known.has(stack) && !left.includes(stack));
  return [
    ...(others.length > 0 ? [{ operation: "refresh" as const, stacks: others }] : []),
    ...(isCommand(operation) && left.length > 0 ? [{ operation, stacks: left }] : []),
  ];
}

export async function resumeRun(args: Arguments, session: Session, parts: RunParts = REAL_PARTS): Promise<ExitCode> {
  const { runsDir, workDir, env } = await openSite(args.flag("lab"));
  const { graph } = await listStacks();
  const records = readRuns(runsDir);
  const fold = foldRuns(records);
  const steps = stepsOf(fold, new Set(graph.names()));
  const cut = records.find(({ id }) => id === fold.unfinished?.id);
  const run = engineRunner(engineOf(args).root, workDir);
  for (const step of steps) {
    if (cut !== undefined && step.operation === fold.unfinished?.operation) await refuseIfWentOn(cut, step, (words) => run(words, env));
  }
  if (!args.flag("json")) {
    for (const { operation, stacks } of steps) session.out(`${operation} of ${stacks.join(", ")} ${operation === "refresh" ? "comes first" : "goes on"}\n`);
    if (steps.length === 0) session.out("no run is left to resume: the last one ended in order\n");
  }
  if (steps.length === 0) for (const line of doubtLines(fold)) session.err(`note: ${line}\n`);
  for (const { operation, stacks } of steps) {
    const code = await runStacks(operation, forOnly(args, stacks), session, parts);
    if (code !== EXIT.done) return code;
  }
  return EXIT.done;
}
