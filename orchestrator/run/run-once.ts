/** One operation over the chosen stacks, from its first event to its report. */
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { asError, systemErrorCode } from "../../common/errors";
import { pendingFile, plannedOutputsFile, plannedOutputsSchema } from "../../common/planned-outputs";
import { ownIdentity } from "../../common/process-identity";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { changesAnything } from "../report/changes";
import { buildReport, type TimedStep, writeReport } from "../report/report";
import type { RunReport, StackReport } from "../report/report-schema";
import { runTrace } from "../report/traces";
import type { RetryPolicy } from "../schedule/retry";
import { type RunEvent, type RunPlan, type StackOutcome, startRun } from "../schedule/run";
import { pruneRuns } from "../store/prune-runs";
import type { RunFacts } from "../store/run-facts";
import { foldRuns, type RunsFold, type StackStanding } from "../store/run-fold";
import { RunFolder } from "../store/run-folder";
import { readRuns } from "../store/run-records";
import { stackTimes } from "../store/stack-times";
import { unlockCommand } from "../target/site";
import { ciHost } from "../ui/ci-groups";
import { type Display, JsonDisplay } from "../ui/display";
import { PlainDisplay } from "../ui/plain";
import { TreeDisplay } from "../ui/tree";
import { redactedProcess } from "../worker/redaction";
import type { ResourceStep } from "../worker/worker-protocol";
import { closingText, tableText } from "./closing-text";
import { looksForCut } from "./cut-creations";
import { watchLab, withLabEnd } from "./lab-watch";
import { joinedReport, writeReportFiles } from "./report-files";
import { isBackwards, isPreview, type RunSetup } from "./run-setup";
import { Turns } from "./turns";

/** Stacks at the same time. One that is built waits for much of its time. */
const DEFAULT_CONCURRENCY = 3;
/** A preview hardly waits, so that more of them than processors only take turns (seven stacks on two processors: 10.0 s with two, 11.2 s with three). */
const mostAtOnce = (operation: RunSetup["operation"]): number =>
  isPreview(operation) ? Math.min(DEFAULT_CONCURRENCY, availableParallelism()) : DEFAULT_CONCURRENCY;
const DEFAULT_PARALLEL = 16;
/** A preview's program waits for its upstream's planned outputs; most of its time is the loading of its processes. */
const PREVIEWS_AHEAD = 2;

const MINUTE = 60_000;

/** For operations that change something. A preview that fails is simply run again by hand. */
const RETRIES: RetryPolicy = {
  classes: new Set(["busy", "unreachable", "throttled"]),
  attempts: 3,
  firstDelay: 10_000,
  longestDelay: MINUTE,
  budget: 5 * MINUTE,
};

function timesOf(args: Arguments): Pick<RunPlan, "stackTimeout" | "runTimeout"> {
  const minutes = (flag: string): number | undefined => (args.text(flag) === undefined ? undefined : positive(args.text(flag), 1, `--${flag}`) * MINUTE);
  const [stackTimeout, runTimeout] = [minutes("stack-timeout"), minutes("timeout")];
  return { ...(stackTimeout === undefined ? {} : { stackTimeout }), ...(runTimeout === undefined ? {} : { runTimeout }) };
}

/** Remembers what the report needs from the stream of events. */
class Recorder {
  readonly steps = new Map<string, TimedStep[]>();
  /** Starts of steps that are under way, by stack and URN. */
  readonly #started = new Map<string, number>();
  readonly failures = new Map<string, ResourceStep[]>();
  readonly diagnostics = new Map<string, StackReport["diagnostics"]>();

  event(event: RunEvent): void {
    if (event.kind === "step-started") this.#started.set(`${event.stack} ${event.step.urn}`, event.at);
    if (event.kind === "step-done") this.#done(event.stack, event.step, event.at);
    if (event.kind === "step-failed") push(this.failures, event.stack, event.step);
    if (event.kind === "diagnostic") push(this.diagnostics, event.stack, { severity: event.severity, urn: event.urn, message: event.message });
  }

  #done(stack: string, step: ResourceStep, ended: number): void {
    const key = `${stack} ${step.urn}`;
    const started = this.#started.get(key);
    this.#started.delete(key);
    if (step.op !== "same") push(this.steps, stack, { ...step, at: started === undefined ? undefined : { started, ended } });
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function createDisplay(session: Session, args: Arguments, { program, operation }: RunSetup, times: ReadonlyMap<string, number>): Display {
  if (args.flag("json")) return new JsonDisplay(session.out);
  const options = { graph: program.graph, backwards: isBackwards(operation), planned: isPreview(operation), now: () => session.clock.now(), times };
  if (args.flag("plain") || !session.terminal.interactive) return new PlainDisplay(session.out, { ...options, host: ciHost() });
  const { colour, columns, rows } = session.terminal;
  return new TreeDisplay(session.out, { ...options, colour, columns, rows });
}

/** The outputs of other stacks that were unknown to a stack's preview, from the file that its program wrote. */
function usedUnknowns(dir: string, stack: string): string[] {
  const file = plannedOutputsFile(dir, stack);
  try {
    return plannedOutputsSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).usedUnknowns;
  } catch (cause) {
    // A preview that failed before its end wrote none.
    if (systemErrorCode(cause) === "ENOENT") return [];
    throw cause;
  }
}

/** Every listener gets the event, even where one of them fails. @throws what the first of these threw */
function tellAll(listeners: readonly ((event: RunEvent) => void)[], event: RunEvent): void {
  const failures: unknown[] = [];
  for (const listener of listeners) {
    try {
      listener(event);
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}

type Listener = (event: RunEvent) => void;

/** What earlier runs say about this run's stacks. */
interface Earlier extends Pick<RunsFold, "standings"> {
  times: ReadonlyMap<string, number>;
}

/** @param standing how earlier runs left the stack */
function taskOf({ operation, site, engine, program, takeOver }: RunSetup, stack: string, standing: StackStanding | undefined) {
  const { besideArgoCd: beside } = program.graph.node(stack);
  return {
    operation,
    stack,
    workDir: site.workDir,
    engineRoot: engine.root,
    unprotect: operation === "destroy" && site.kind === "lab",
    adopt: looksForCut(operation, site.kind, standing),
    deliveredByArgoCd: [...(program.graph.node(stack).deliveredByArgoCd ?? [])],
    ...(beside === undefined ? {} : { besideArgoCd: { argoCdOf: beside.argoCdOf, apps: [...beside.apps] } }),
    isNew: site.kind === "lab" && standing === undefined,
    refresh: standing === "in doubt",
    takeOver: operation === "up" && takeOver,
  };
}

async function execute(setup: RunSetup, args: Arguments, session: Session, earlier: Earlier, listeners: Listener[]): Promise<StackOutcome[]> {
  const { standings, times } = earlier;
  const { operation, site, program, stacks, plannedDir, processes } = setup;
  const turns = new Turns(setup, args.words);
  let toStart = stacks.size;
  const parallel = positive(args.text("parallel"), DEFAULT_PARALLEL, "--parallel");
  const concurrency = positive(args.text("concurrency"), mostAtOnce(operation), "--concurrency");
  const run = startRun(
    {
      operation,
      graph: program.graph,
      stacks,
      direction: isBackwards(operation) ? "destroy" : "build",
      concurrency,
      failFast: args.flag("fail-fast"),
      times,
      ...timesOf(args),
      ...(isPreview(operation) || args.flag("try-once") ? {} : { retry: RETRIES }),
      ahead: plannedDir === undefined ? 0 : PREVIEWS_AHEAD,
    },
    {
      clock: session.clock,
      emit: (event) => tellAll(listeners, event),
      start: (stack, onMessage) => {
        const task = { ...taskOf(setup, stack, standings.get(stack)), parallel, wait: args.flag("wait"), formerOutputs: turns.wantsFormer(stack) };
        const child = redactedProcess(session.redactor, (listener) => processes.run(task, listener), onMessage);
        const result = child.result.then(async (ended) => turns.note(stack, await withLabEnd(site.lab, ended)));
        toStart--;
        if (toStart > 0) processes.warm(concurrency);
        return { result, cancel: () => child.cancel() };
      },
      decide: (stack) => turns.decide(stack),
      settle: (outcome) => {
        if (outcome.error?.code === "E_LOCKED")
          outcome.error.hint = `wait for the other run, or add --wait; a lock that nobody holds: ${unlockCommand(site, outcome.stack)}`;
        if (plannedDir === undefined) return;
        fs.rmSync(pendingFile(plannedDir, outcome.stack), { force: true });
        if (outcome.startedAt !== undefined) outcome.unknowns = usedUnknowns(plannedDir, outcome.stack);
      },
    },
  );
  const stopListening = session.onInterrupt(() => run.interrupt());
  const stopWatching = watchLab(site.lab, session.clock, run);
  try {
    return await run.done;
  } finally {
    stopListening();
    stopWatching();
  }
}

function exitCode(outcomes: readonly StackOutcome[], interrupted: boolean, expectNoChanges: boolean): ExitCode {
  if (outcomes.some((outcome) => outcome.status === "failed")) return EXIT.failed;
  if (interrupted || outcomes.some((outcome) => outcome.status === "cancelled")) return EXIT.interrupted;
  if (expectNoChanges && outcomes.some((outcome) => changesAnything(outcome.changes))) return EXIT.changes;
  return EXIT.done;
}

function factsOf({ operation, site, program, engine, stacks, commit }: RunSetup, args: Arguments, startedAt: number): RunFacts {
  const identity = ownIdentity();
  return {
    version: 1,
    operation,
    site: site.kind,
    siteName: program.site,
    stacks: [...stacks],
    arguments: [...args.typed],
    startedAt: new Date(startedAt).toISOString(),
    pid: process.pid,
    ...(identity === undefined ? {} : { process: identity }),
    ...(commit === undefined ? {} : { commit }),
    engine: { name: engine.name, why: engine.why },
  };
}

/** A run goes on where old runs cannot be removed. */
function prune(session: Session, remove: () => void): void {
  try {
    remove();
  } catch (thrown) {
    session.err(`note: old runs could not be removed: ${asError(thrown).message}\n`);
  }
}

export interface FinishedRun {
  code: ExitCode;
  report: RunReport;
}

/**
 * Runs the operation, with its folder, its display, its closing table and its report.
 * @throws HomelabError where its folder or the report cannot be written; what was done is in the state, and its table is shown
 */
export async function runOnce(setup: RunSetup, args: Arguments, session: Session): Promise<FinishedRun> {
  const { operation, site } = setup;
  const startedAt = session.clock.now();
  const earlier = readRuns(site.runsDir);
  const fold = foldRuns(earlier);
  const trace = await runTrace({ "homelab.operation": operation, "homelab.site": setup.program.site, "homelab.kind": site.kind });
  const folder = new RunFolder(site.runsDir, factsOf(setup, args, startedAt), session.writeFile);
  const recorder = new Recorder();
  const times = stackTimes(earlier, operation);
  const display = createDisplay(session, args, setup, times);
  let interrupted = false;
  try {
    prune(session, () => pruneRuns(site.runsDir, earlier, fold, startedAt));
    const outcomes = await execute(setup, args, session, { standings: fold.standings, times }, [
      (event) => folder.append(event),
      (event) => recorder.event(event),
      (event) => display.event(event),
      (event) => trace?.event(event),
      (event) => {
        interrupted ||= event.kind === "interrupted";
      },
    ]).finally(() => display.close());
    const report = buildReport({
      operation,
      site: site.kind,
      engine: { name: setup.engine.name, why: setup.engine.why },
      startedAt,
      finishedAt: session.clock.now(),
      outcomes,
      warnings: session.redactor.redactDeep(setup.program.warnings),
      estate: setup.program.estate,
      steps: recorder.steps,
      failures: recorder.failures,
      diagnostics: recorder.diagnostics,
    });
    const quiet = args.flag("json");
    if (!quiet) session.out(tableText(report, session.terminal.columns()));
    const files = writeReport(folder.dir, report, session.writeFile);
    writeReportFiles(setup.before === undefined ? report : joinedReport(setup.before, report), args, session);
    if (!quiet) session.out(closingText(setup, report, files.html, session.terminal.columns()));
    return { code: exitCode(outcomes, interrupted, args.flag("expect-no-changes")), report };
  } finally {
    folder.close();
    const lost = await trace?.close();
    if (lost !== undefined) session.err(`note: the run's trace is incomplete: ${lost}\n`);
  }
}
