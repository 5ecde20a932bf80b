/** What a run needs: the site, the engine, the program and its chosen stacks, and the worker processes. */
import * as fs from "node:fs";
import { ENV } from "../../common/env";
import { pendingFile } from "../../common/planned-outputs";
import type { Redactor } from "../../common/redact";
import type { Arguments } from "../cli/arguments";
import type { Session } from "../cli/session";
import type { RunReport } from "../report/report-schema";
import { makeRunsFolder } from "../store/run-folder";
import { type CheckoutCommit, checkoutCommit } from "../target/checkout";
import { type Engine, engineOf } from "../target/engine";
import { tellSite } from "../target/lab-client";
import { describeProgram, type Program } from "../target/program";
import { openSite, type Site } from "../target/site";
import { registerSecrets } from "../worker/redaction";
import { StackProcesses } from "../worker/stack-process";
import type { Operation } from "../worker/worker-protocol";
import type { Affected } from "./affected";
import { changeSince } from "./change-since";
import { makePlannedFolder, sweepPlannedFolders } from "./planned-folder";

export type RunOperation = Exclude<Operation, "drift" | "outputs" | "status">;

/** Whether the operation only shows what another one would do. */
export const isPreview = (operation: RunOperation): boolean => operation === "preview" || operation === "preview-destroy";
export const isBackwards = (operation: RunOperation): boolean => operation === "destroy" || operation === "preview-destroy";

export interface RunSetup {
  operation: RunOperation;
  site: Site;
  engine: Engine;
  program: Program;
  commit: CheckoutCommit | undefined;
  stacks: Set<string>;
  /** Folder in which the stacks of a preview pass planned outputs to each other. */
  plannedDir: string | undefined;
  processes: Pick<StackProcesses, "run" | "warm" | "close">;
  /** The affected stacks, where `--affected` chose the stacks. */
  affected: Affected | undefined;
  /** The report of an earlier part of the same run. */
  before: RunReport | undefined;
  /** Whether the states are lost, and existing resources are taken into new ones. */
  takeOver: boolean;
}

/** Where a run gets what it needs; tests give their own workers. */
export interface RunParts {
  /** For a run with `--affected`. */
  affected?: Affected;
  /** The report of the first part of such a run, which destroyed the stacks that the program no longer has. */
  before?: RunReport;
  /** Only for an `up` that is part of a rebuild: whether the states are lost while their resources may exist. */
  takeOver?: boolean;
  /** Gets the report of each operation that is run, that of the preview first. */
  told?: (report: RunReport) => void;
  openSite: typeof openSite;
  describeProgram: typeof describeProgram;
  /** Called only for `--affected`. */
  changeSince: typeof changeSince;
  /** @param engineRoot of the embedded engine, where it is used */
  workers(
    env: Readonly<Record<string, string | undefined>>,
    redactor: Redactor,
    engineRoot: string | undefined,
  ): Pick<StackProcesses, "run" | "warm" | "close">;
}

export const REAL_PARTS: RunParts = {
  openSite,
  describeProgram,
  changeSince,
  workers: (env, redactor, engineRoot) => new StackProcesses(env, redactor, engineRoot),
};

function selectStacks(program: Program, words: readonly string[], operation: RunOperation, only: boolean): Set<string> {
  const { graph } = program;
  for (const word of words) graph.node(word);
  const wanted =
    words.length === 0 ? new Set(graph.names()) : only ? new Set(words) : isBackwards(operation) ? graph.withDependents(words) : graph.withNeeds(words);
  return new Set(graph.names().filter((name) => wanted.has(name)));
}

/** @returns what {@link release} must be called with in the end */
export async function prepare(operation: RunOperation, args: Arguments, session: Session, parts: RunParts): Promise<RunSetup> {
  const describing = parts.describeProgram();
  // Awaited below. This avoids an unhandled rejection if an earlier step fails.
  describing.catch(() => undefined);
  const committed = checkoutCommit();
  const site = await parts.openSite(args.flag("lab"));
  const engine = engineOf(args);
  makeRunsFolder(site.runsDir);
  sweepPlannedFolders(site.runsDir);
  // It holds secrets during the preview. Only this user can read it, and it is removed at the end.
  const plannedDir = operation === "preview" ? makePlannedFolder(site.runsDir) : undefined;
  const env = { ...site.env, ...(plannedDir === undefined ? {} : { [ENV.plannedOutputsDir]: plannedDir }) };
  const processes = parts.workers(env, session.redactor, engine.root);
  try {
    // A worker loads while the program is read.
    processes.warm();
    const program = await describing;
    if (site.lab !== undefined) {
      if ("failure" in program.lab) throw program.lab.failure;
      await tellSite(site.lab, program.lab.site);
    }
    const stacks = selectStacks(program, args.words, operation, args.flag("only"));
    await registerSecrets(session, site.env, program.graph.names());
    if (plannedDir !== undefined) for (const stack of stacks) fs.writeFileSync(pendingFile(plannedDir, stack), "");
    const { affected, before, takeOver = false } = parts;
    return { operation, site, engine, program, commit: await committed, stacks, plannedDir, processes, affected, before, takeOver };
  } catch (thrown) {
    release({ processes, plannedDir });
    throw thrown;
  }
}

export function release({ processes, plannedDir }: Pick<RunSetup, "processes" | "plannedDir">): void {
  processes.close();
  if (plannedDir !== undefined) fs.rmSync(plannedDir, { recursive: true, force: true });
}
