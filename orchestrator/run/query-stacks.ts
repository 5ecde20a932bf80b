/** `outputs` and `status`: read every stack's state, change nothing. */

import { stringify } from "yaml";
import { HomelabError } from "../../common/errors";
import { inPool } from "../../common/pool";
import { type Arguments, positive } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { renderTable } from "../report/table";
import { foldRuns, type StackStanding } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import { engineOf } from "../target/engine";
import { listStacks } from "../target/program";
import { openSite } from "../target/site";
import { redactedProcess, registerSecrets } from "../worker/redaction";
import { StackProcesses } from "../worker/stack-process";
import type { WorkerMessage, WorkerResult } from "../worker/worker-protocol";
import { doubtLines } from "./doubt-text";

/** Resources of a stack that are read at the same time. */
const DRIFT_PARALLEL = 16;

/** Asks every stack that is named, or all; who fails is in the results like who answers. */
export async function askAll(
  operation: "outputs" | "status" | "drift",
  args: Arguments,
  session: Session,
  onMessage: (stack: string, message: WorkerMessage) => void = () => undefined,
) {
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const { graph } = await listStacks();
  await registerSecrets(session, site.env, graph.names());
  const stacks = args.words.length === 0 ? graph.names() : args.words.map((word) => graph.node(word).name);
  const processes = new StackProcesses(site.env, session.redactor);
  const results = await inPool(stacks, positive(args.text("concurrency"), 3, "--concurrency"), async (stack): Promise<[string, WorkerResult]> => {
    const task = { operation, stack, workDir: site.workDir, engineRoot: engine.root, parallel: operation === "drift" ? DRIFT_PARALLEL : 1 };
    const child = redactedProcess(
      session.redactor,
      (listener) => processes.run(task, listener),
      (message) => onMessage(stack, message),
    );
    const stop = session.onInterrupt(() => child.cancel());
    const result = await child.result;
    stop();
    return [stack, result];
  });
  processes.close();
  return { site, graph, results };
}

/** @throws HomelabError of the first that fails */
export async function queryAll(operation: "outputs" | "status", args: Arguments, session: Session) {
  const { site, results } = await askAll(operation, args, session);
  for (const [stack, { error }] of results)
    if (error) throw new HomelabError(error.code, `${stack}: ${error.message}`, { ...(error.hint ? { hint: error.hint } : {}), subject: stack });
  return { site, results };
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

/** Only what the last run ended well is built; what it left is said. */
function stateText(state: WorkerResult["state"], standing: StackStanding | undefined): string {
  if (state?.locked) return "locked";
  if (!state?.exists) return "not there";
  if (standing === "in doubt") return "in doubt";
  if (standing === "failed" || standing === "cancelled") return state.resources === 0 ? `empty (${standing})` : `incomplete (${standing})`;
  return state.resources === 0 ? "empty" : "built";
}

/** Each stack's existence, size, last update and lock, and the last run's end. */
export async function showStatus(args: Arguments, session: Session): Promise<ExitCode> {
  const { site, results } = await queryAll("status", args, session);
  const fold = foldRuns(readRuns(site.runsDir));
  if (args.flag("json")) {
    const stacks = Object.fromEntries(results.map(([stack, { state }]) => [stack, state]));
    const unfinishedRun = fold.unfinished === undefined ? null : { ...fold.unfinished, inDoubt: fold.inDoubt };
    session.out(`${JSON.stringify({ version: 1, site: site.kind, unfinishedRun, inDoubt: fold.inDoubt, damagedRuns: fold.damaged, stacks }, null, 2)}\n`);
    return EXIT.done;
  }
  const rows = results.map(([stack, { state }]) => [
    stack,
    stateText(state, fold.standings.get(stack)),
    String(state?.resources ?? 0),
    state?.lastUpdate ?? "never",
  ]);
  session.out(`${renderTable(["stack", "state", "resources", "last update"], rows)}\n`);
  for (const line of doubtLines(fold)) session.out(`${line}\n`);
  if (site.lab) session.out(`lab: running since ${site.lab.startedAt}, process ${site.lab.pid}\n`);
  return EXIT.done;
}
