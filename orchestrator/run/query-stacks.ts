/** `outputs` and `status`: read every stack's state, change nothing. */

import { stringify } from "yaml";
import { HomelabError } from "../../common/errors";
import { inPool } from "../../common/pool";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { renderTable } from "../report/table";
import { rebuildLines } from "../store/rebuild-record";
import { foldRuns } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import { readSeenDrift } from "../store/seen-drift";
import { engineOf } from "../target/engine";
import { listStacks } from "../target/program";
import { openSite } from "../target/site";
import { redactedProcess, registerSecrets } from "../worker/redaction";
import { type StackProcess, StackProcesses } from "../worker/stack-process";
import type { WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import { doubtLines } from "./doubt-text";
import { lastRuns, STATUS_HEAD, statusRow, underWayLines } from "./status-text";

/** Resources of a stack that are read at the same time. */
const DRIFT_PARALLEL = 16;

const INTERRUPTED: WorkerResult = { ok: false, changes: {}, error: { code: "E_CANCELLED", class: "cancelled", message: "interrupted before it was asked" } };

/** Asks several stacks at a time. An interrupt cancels those that are being asked, and no further one is asked. */
export async function askEach(
  stacks: readonly string[],
  size: number,
  session: Pick<Session, "onInterrupt">,
  start: (stack: string) => StackProcess,
): Promise<[string, WorkerResult][]> {
  const running = new Set<StackProcess>();
  let interrupted = false;
  const stop = session.onInterrupt(() => {
    interrupted = true;
    for (const child of running) child.cancel();
  });
  try {
    return await inPool(stacks, size, async (stack): Promise<[string, WorkerResult]> => {
      if (interrupted) return [stack, INTERRUPTED];
      const child = start(stack);
      running.add(child);
      const result = await child.result;
      running.delete(child);
      return [stack, result];
    });
  } finally {
    stop();
  }
}

/** Asks the named stacks, or all. Failures are among the results. */
export async function askAll(
  operation: "outputs" | "status" | "drift",
  args: Arguments,
  session: Session,
  onMessage: (stack: string, message: WorkerMessage) => void = () => undefined,
) {
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const { graph } = await listStacks();
  const stacks = args.words.length === 0 ? graph.names() : args.words.map((word) => graph.node(word).name);
  await registerSecrets(session, site.env, graph.names());
  const processes = new StackProcesses(site.env, session.redactor, engine.root);
  const results = await askEach(stacks, positive(args.text("concurrency"), 3, "--concurrency"), session, (stack) => {
    const task = { operation, stack, workDir: site.workDir, engineRoot: engine.root, parallel: operation === "drift" ? DRIFT_PARALLEL : 1 };
    return redactedProcess(
      session.redactor,
      (listener) => processes.run(task, listener),
      (message) => onMessage(stack, message),
    );
  });
  processes.close();
  return { site, graph, results };
}

/** @throws HomelabError of the first that fails */
export async function queryAll(operation: "outputs" | "status", args: Arguments, session: Session) {
  const { site, graph, results } = await askAll(operation, args, session);
  for (const [stack, { error }] of results)
    if (error) throw new HomelabError(error.code, `${stack}: ${error.message}`, { ...(error.hint ? { hint: error.hint } : {}), subject: stack });
  return { site, graph, results };
}

const MASK = "[secret]";

/** Each stack's outputs; secret ones masked unless asked for. */
export async function showOutputs(args: Arguments, session: Session): Promise<ExitCode> {
  const { results } = await queryAll("outputs", args, session);
  const shown = Object.fromEntries(
    results.map(([stack, { outputs }]) => [
      stack,
      Object.fromEntries(Object.entries(outputs ?? {}).map(([name, { value, secret }]) => [name, secret && !args.flag("show-secrets") ? MASK : value])),
    ]),
  );
  if (args.flag("show-secrets")) session.rawOut(`${JSON.stringify(shown, null, 2)}\n`);
  else if (args.flag("json")) session.out(`${JSON.stringify(shown, null, 2)}\n`);
  else {
    // YAML reads well, long texts and lists included, and can be read back.
    for (const [stack, outputs] of Object.entries(shown))
      session.out(Object.keys(outputs).length === 0 ? `${stack}: {} # not built\n` : stringify({ [stack]: outputs }, { lineWidth: 0 }));
  }
  return EXIT.done;
}

/** Each stack's existence, size and lock, its last run, its last known drift, and what a run under way is doing. */
export async function showStatus(args: Arguments, session: Session): Promise<ExitCode> {
  const { site, graph, results } = await queryAll("status", args, session);
  const records = readRuns(site.runsDir);
  const [fold, runs, drift] = [foldRuns(records), lastRuns(records), readSeenDrift(site.runsDir)];
  const facts = results.map(([stack, { state }]) => ({
    stack,
    state,
    standing: fold.standings.get(stack),
    lastRun: runs.get(stack),
    drift: drift.get(stack),
  }));
  if (args.flag("json")) {
    const stacks = Object.fromEntries(
      facts.map(({ stack, state, lastRun, drift: seen }) => [stack, { ...state, lastRun: lastRun ?? null, drift: seen ?? null }]),
    );
    const unfinishedRun = fold.unfinished === undefined ? null : { ...fold.unfinished, inDoubt: fold.inDoubt };
    session.out(`${JSON.stringify({ version: 1, site: site.kind, unfinishedRun, inDoubt: fold.inDoubt, damagedRuns: fold.damaged, stacks }, null, 2)}\n`);
    return EXIT.done;
  }
  const now = session.clock.now();
  const rows = facts.map((one) => statusRow(one, now));
  session.out(`${renderTable(STATUS_HEAD, rows, session.terminal.columns())}\n`);
  for (const line of [...underWayLines(records, graph), ...doubtLines(fold), ...rebuildLines(site.runsDir)]) session.out(`${line}\n`);
  if (site.lab) session.out(`lab: running since ${site.lab.startedAt}, process ${site.lab.pid}\n`);
  return EXIT.done;
}
