/** `up`, `preview`, `refresh` and `destroy`: one operation over the stacks, in order. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ENV } from "../../common/env";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { pendingFile, plannedOutputsFile, plannedOutputsSchema } from "../../common/planned-outputs";
import { quote } from "../../common/quote";
import type { Redactor } from "../../common/redact";
import { type Arguments, oneOf, positive } from "../arguments";
import { changesAnything, durationText } from "../changes";
import { renderComment } from "../comment";
import { chooseEngine, type Engine } from "../engine";
import { EXIT, type ExitCode } from "../exit-codes";
import { makePlannedFolder, sweepPlannedFolders } from "../planned-folder";
import type { Program } from "../program";
import { describeProgram } from "../program";
import { redactedProcess, registerSecrets } from "../redaction";
import { buildReport, type RunReport, writeReport } from "../report";
import { type RunEvent, type StackOutcome, startRun } from "../run";
import { RunJournal, unfinishedRun } from "../run-journal";
import type { Session } from "../session";
import { openSite, type Site } from "../site";
import { StackProcesses } from "../stack-process";
import { renderTable, TABLE_HEAD, tableRows } from "../table";
import { type Display, JsonDisplay } from "../ui/display";
import { PlainDisplay } from "../ui/plain";
import { TreeDisplay } from "../ui/tree";
import type { Operation, ResourceStep } from "../worker-protocol";

export const RUN_OPTIONS = {
  lab: { type: "boolean" },
  engine: { type: "string" },
  concurrency: { type: "string" },
  parallel: { type: "string" },
  "fail-fast": { type: "boolean" },
  "expect-no-changes": { type: "boolean" },
  only: { type: "boolean" },
  markdown: { type: "string" },
  json: { type: "boolean" },
  plain: { type: "boolean" },
} as const;

/** Two cores run two programs well; more only wait for each other. */
const DEFAULT_CONCURRENCY = 3;
const DEFAULT_PARALLEL = 16;
/** A preview's program waits for its upstream's planned outputs; most of its time is the loading of its processes. */
const PREVIEWS_AHEAD = 2;

type RunOperation = Extract<Operation, "up" | "preview" | "refresh" | "destroy">;

/** Remembers what the report needs from the stream of events. */
class Recorder {
  readonly steps = new Map<string, ResourceStep[]>();
  readonly diagnostics = new Map<string, { severity: string; urn: string; message: string }[]>();

  event(event: RunEvent): void {
    if (event.kind === "step-done" && event.step.op !== "same") push(this.steps, event.stack, event.step);
    if (event.kind === "diagnostic") push(this.diagnostics, event.stack, { severity: event.severity, urn: event.urn, message: event.message });
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function selectStacks(program: Program, words: readonly string[], operation: RunOperation, only: boolean): Set<string> {
  const { graph } = program;
  for (const word of words) graph.node(word);
  const wanted =
    words.length === 0 ? new Set(graph.names()) : only ? new Set(words) : operation === "destroy" ? graph.withDependents(words) : graph.withNeeds(words);
  return new Set(graph.names().filter((name) => wanted.has(name)));
}

function createDisplay(session: Session, args: Arguments, program: Program, planned: boolean): Display {
  if (args.flag("json")) return new JsonDisplay(session.out);
  if (args.flag("plain") || !session.terminal.interactive) return new PlainDisplay(session.out, planned);
  const { colour, columns } = session.terminal;
  return new TreeDisplay(session.out, { graph: program.graph, planned, colour, columns, now: () => session.clock.now() });
}

/** The upstream values that a stack's preview had to leave open, from the file that its program wrote. */
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

function warnOfUnfinished(session: Session, site: Site): void {
  const unfinished = unfinishedRun(site.runsDir);
  if (unfinished === undefined) return;
  const doubt = unfinished.inDoubt.length > 0 ? `; in doubt: ${unfinished.inDoubt.join(", ")}` : "";
  session.err(`note: the last run (${unfinished.operation}) did not end in order${doubt}. This run goes on from the saved state.\n`);
}

interface RunSetup {
  operation: RunOperation;
  site: Site;
  engine: Engine;
  program: Program;
  stacks: Set<string>;
  plannedDir: string | undefined;
  processes: Pick<StackProcesses, "run" | "warm" | "close">;
}

/** What a run stands on; tests give their own workers. */
export interface RunParts {
  openSite: typeof openSite;
  describeProgram: typeof describeProgram;
  workers(env: Readonly<Record<string, string | undefined>>, redactor: Redactor): Pick<StackProcesses, "run" | "warm" | "close">;
}

const REAL_PARTS: RunParts = { openSite, describeProgram, workers: (env, redactor) => new StackProcesses(env, redactor) };

async function prepare(operation: RunOperation, args: Arguments, session: Session, parts: RunParts): Promise<RunSetup> {
  const describing = parts.describeProgram();
  // Awaited below; until then what comes first may fail first.
  describing.catch(() => undefined);
  const site = await parts.openSite(args.flag("lab"));
  const engine = chooseEngine(oneOf(args.text("engine"), ["auto", "pulumi", "embedded"], "auto", "--engine"));
  fs.mkdirSync(site.runsDir, { recursive: true, mode: 0o700 });
  sweepPlannedFolders(site.runsDir);
  // Holds secrets for the length of the preview: ours alone, and removed at its end.
  const plannedDir = operation === "preview" ? makePlannedFolder(site.runsDir) : undefined;
  const processes = parts.workers({ ...site.env, ...(plannedDir === undefined ? {} : { [ENV.plannedOutputsDir]: plannedDir }) }, session.redactor);
  try {
    // It loads while the program is read.
    processes.warm();
    const program = await describing;
    await registerSecrets(session, site.env, program.graph.names());
    const stacks = selectStacks(program, args.words, operation, args.flag("only"));
    if (plannedDir !== undefined) for (const stack of stacks) fs.writeFileSync(pendingFile(plannedDir, stack), "");
    return { operation, site, engine, program, stacks, plannedDir, processes };
  } catch (thrown) {
    release({ processes, plannedDir });
    throw thrown;
  }
}

function release({ processes, plannedDir }: Pick<RunSetup, "processes" | "plannedDir">): void {
  processes.close();
  if (plannedDir !== undefined) fs.rmSync(plannedDir, { recursive: true, force: true });
}

async function execute(setup: RunSetup, args: Arguments, session: Session, listeners: ((event: RunEvent) => void)[]): Promise<StackOutcome[]> {
  const { operation, site, engine, program, stacks, plannedDir, processes } = setup;
  let toStart = stacks.size;
  const parallel = positive(args.text("parallel"), DEFAULT_PARALLEL, "--parallel");
  const run = startRun(
    {
      operation,
      graph: program.graph,
      stacks,
      direction: operation === "destroy" ? "destroy" : "build",
      concurrency: positive(args.text("concurrency"), DEFAULT_CONCURRENCY, "--concurrency"),
      failFast: args.flag("fail-fast"),
      ahead: plannedDir === undefined ? 0 : PREVIEWS_AHEAD,
    },
    {
      clock: session.clock,
      emit: (event) => {
        for (const listener of listeners) listener(event);
      },
      start: (stack, onMessage) => {
        const task = { operation, stack, workDir: site.workDir, engineRoot: engine.root, parallel };
        const child = redactedProcess(session.redactor, (listener) => processes.run(task, listener), onMessage);
        toStart--;
        if (toStart > 0) processes.warm();
        return child;
      },
      settle: (outcome) => {
        if (plannedDir === undefined) return;
        fs.rmSync(pendingFile(plannedDir, outcome.stack));
        if (outcome.startedAt !== undefined) outcome.unknowns = usedUnknowns(plannedDir, outcome.stack);
      },
    },
  );
  const stopListening = session.onInterrupt(() => run.interrupt());
  try {
    return await run.done;
  } finally {
    stopListening();
  }
}

function exitCode(outcomes: readonly StackOutcome[], interrupted: boolean, expectNoChanges: boolean): ExitCode {
  if (outcomes.some((outcome) => outcome.status === "failed")) return EXIT.failed;
  if (interrupted || outcomes.some((outcome) => outcome.status === "cancelled")) return EXIT.interrupted;
  if (expectNoChanges && outcomes.some((outcome) => changesAnything(outcome.changes))) return EXIT.changes;
  return EXIT.done;
}

function closingText(setup: RunSetup, report: RunReport, outcomes: readonly StackOutcome[], htmlFile: string): string {
  const lines = ["", renderTable(TABLE_HEAD, tableRows(outcomes)), ""];
  for (const outcome of outcomes) {
    if (outcome.error === undefined) continue;
    lines.push(`✘ ${outcome.stack}: ${outcome.error.message.trim()}`);
    if (outcome.error.hint) lines.push(`  next: ${outcome.error.hint}`);
  }
  const open = outcomes.filter((outcome) => (outcome.unknowns?.length ?? 0) > 0);
  for (const outcome of open) lines.push(`${outcome.stack} depends on values that are not known yet: ${outcome.unknowns?.join(", ")}`);
  lines.push(`${setup.operation} took ${durationText(report.duration)} with the ${report.engine.name} engine (${report.engine.why})`);
  lines.push(`report: ${htmlFile}`);
  const { lab } = setup.site;
  if (lab !== undefined && setup.operation === "up" && report.ok) {
    lines.push(
      `kubernetes: kubectl --kubeconfig ${quote(lab.kubeconfig)} --context dev get deployments -A`,
      `vault: HTTPS_PROXY=${lab.proxy} VAULT_CACERT=${quote(lab.caFile)} VAULT_ADDR=https://vault.fullstack.pw (any Vault client)`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Runs one operation over the chosen stacks (none named = all). */
export async function runStacks(operation: RunOperation, args: Arguments, session: Session, parts: RunParts = REAL_PARTS): Promise<ExitCode> {
  if (args.flag("expect-no-changes") && operation !== "preview") {
    throw new HomelabError("E_USAGE", "--expect-no-changes goes with preview", {
      hint: "`homelab preview --expect-no-changes` changes nothing and exits 3 where something would change",
    });
  }
  const setup = await prepare(operation, args, session, parts);
  const { site } = setup;
  const startedAt = session.clock.now();
  warnOfUnfinished(session, site);
  const base = path.join(site.runsDir, `${new Date(startedAt).toISOString().replaceAll(":", "-")}-${operation}`);
  const journal = new RunJournal(`${base}.journal.jsonl`);
  const recorder = new Recorder();
  const display = createDisplay(session, args, setup.program, operation === "preview");
  let interrupted = false;
  const note = (event: RunEvent): void => {
    interrupted ||= event.kind === "interrupted";
  };
  try {
    const outcomes = await execute(setup, args, session, [
      (event) => journal.append(event),
      (event) => recorder.event(event),
      (event) => display.event(event),
      note,
    ]);
    display.close();
    const facts = {
      operation,
      site: site.kind,
      engine: setup.engine,
      startedAt,
      finishedAt: session.clock.now(),
      outcomes,
      steps: recorder.steps,
      diagnostics: recorder.diagnostics,
    };
    const report = buildReport({ ...facts, engine: { name: setup.engine.name, why: setup.engine.why } });
    const files = writeReport(base, report, outcomes, session.writeFile);
    const markdown = args.text("markdown");
    if (markdown !== undefined) session.writeFile(path.resolve(markdown), renderComment(report), 0o644);
    if (!args.flag("json")) session.out(closingText(setup, report, outcomes, files.html));
    return exitCode(outcomes, interrupted, args.flag("expect-no-changes"));
  } finally {
    journal.close();
    release(setup);
  }
}
