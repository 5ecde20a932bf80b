/** `up`, `preview`, `refresh` and `destroy`: one operation over the stacks, in order. */
import * as path from "node:path";
import { describeError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, askToGoOn, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { renderNoReport } from "../report/comment";
import { foldRuns } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import type { Site } from "../target/site";
import { doubtLines } from "./doubt-text";
import { holdRunLock } from "./run-lock";
import { runOnce } from "./run-once";
import { prepare, REAL_PARTS, type RunOperation, type RunParts, release } from "./run-setup";

export type RunCommand = Exclude<RunOperation, "preview-destroy">;

function warnOfUnfinished(session: Session, site: Site): void {
  const lines = doubtLines(foldRuns(readRuns(site.runsDir)));
  for (const line of lines) session.err(`note: ${line}\n`);
  if (lines.length > 0) session.err("note: this run goes on from the saved state\n");
}

/** Prepares, runs and lets go. */
async function run(operation: RunOperation, args: Arguments, session: Session, parts: RunParts) {
  const setup = await prepare(operation, args, session, parts);
  try {
    warnOfUnfinished(session, setup.site);
    return { ...(await runOnce(setup, args, session)), siteName: setup.program.site };
  } finally {
    release(setup);
  }
}

/** Shows what the operation would do to the real homelab, and asks. @returns an exit code where it may not go on */
async function showAndAsk(operation: "up" | "destroy", args: Arguments, session: Session, parts: RunParts): Promise<ExitCode | undefined> {
  const shown = await run(operation === "up" ? "preview" : "preview-destroy", args, session, parts);
  if (shown.code !== EXIT.done) return shown.code;
  const agreed =
    operation === "up"
      ? await askToGoOn(session, `Change the homelab ${shown.siteName} as shown?`)
      : await askByName(session, "This destroys what is shown of", shown.siteName);
  if (agreed) return undefined;
  session.out("nothing was changed\n");
  return EXIT.refused;
}

/** A preview that ends before it has a report leaves its comment all the same. */
async function previewStacks(args: Arguments, session: Session, parts: RunParts): Promise<ExitCode> {
  try {
    return (await run("preview", args, session, parts)).code;
  } catch (thrown) {
    const markdown = args.text("markdown");
    // Redacted before it is made into Markdown, which changes characters of a secret.
    if (markdown !== undefined) session.writeFile(path.resolve(markdown), renderNoReport(session.redactor.redact(describeError(thrown))), 0o644);
    throw thrown;
  }
}

/** Runs one operation over the chosen stacks (none named = all). What changes the real homelab is shown and asked for first. */
export async function runStacks(operation: RunCommand, args: Arguments, session: Session, parts: RunParts = REAL_PARTS): Promise<ExitCode> {
  if (operation === "preview") return previewStacks(args, session, parts);
  const asked = args.flag("lab") || args.flag("yes") || operation === "refresh" ? undefined : operation;
  if (asked !== undefined) refuseUnasked(session, `homelab ${operation} changes the real homelab`, args.flag("json"));
  const { runsDir } = await parts.openSite(args.flag("lab"));
  const lock = await holdRunLock(path.join(path.dirname(runsDir), "run-locks"), operation, session, args.flag("wait"));
  try {
    const refused = asked === undefined ? undefined : await showAndAsk(asked, args, session, parts);
    return refused ?? (await run(operation, args, session, parts)).code;
  } finally {
    lock.release();
  }
}
