/** `up`, `preview`, `refresh` and `destroy`: one operation over the stacks, in order. */
import * as path from "node:path";
import { describeError, HomelabError } from "../../common/errors";
import { type Arguments, forOnly } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import { askByName, askToGoOn, REFUSED, refuseUnasked } from "../cli/gate";
import type { Session } from "../cli/session";
import { renderNoReport } from "../report/comment";
import { rebuildLines } from "../store/rebuild-record";
import { foldRuns } from "../store/run-fold";
import { readRuns } from "../store/run-records";
import type { Site } from "../target/site";
import { backUp } from "./back-up";
import { doubtLines } from "./doubt-text";
import { type GatedChange, gatedChanges, gateLines, lostBy, unapproved } from "./gated-changes";
import { type GivenPlan, holdAgainst, readPlan, writePlan } from "./plan-files";
import { runAffected } from "./run-affected";
import { runOnce } from "./run-once";
import { prepare, REAL_PARTS, type RunOperation, type RunParts, release } from "./run-setup";
import { whileHeld } from "./while-held";

export type RunCommand = Exclude<RunOperation, "preview-destroy">;

function warnOfUnfinished(session: Session, site: Site): void {
  const lines = doubtLines(foldRuns(readRuns(site.runsDir)));
  for (const line of lines) session.err(`note: ${line}\n`);
  if (lines.length > 0) session.err("note: this run goes on from the saved state\n");
}

/** Prepares a run, runs it, and releases what it used. */
async function run(operation: RunOperation, args: Arguments, session: Session, parts: RunParts) {
  const setup = await prepare(operation, args, session, parts);
  try {
    warnOfUnfinished(session, setup.site);
    const done = await runOnce(setup, args, session);
    parts.told?.(done.report);
    return { ...done, setup };
  } finally {
    release(setup);
  }
}

/** A change of production has no resource in its name. */
const lostOrChanged = (changes: readonly GatedChange[]): string =>
  changes.some(({ what }) => what.includes("/")) ? "do what cannot be undone" : "change production";

/** @throws HomelabError E_REFUSED where something cannot be undone and nobody agreed to it */
function refuseUnapproved(operation: "up" | "destroy", left: readonly GatedChange[]): void {
  if (left.length === 0) return;
  throw new HomelabError(REFUSED, `homelab ${operation} would ${lostOrChanged(left)}, and --yes does not agree to that:\n${gateLines(left)}`, {
    hint: `agree to each by --approve ${left.map(({ what }) => what).join(",")}`,
  });
}

/**
 * Shows what the operation would do, and asks. A plan was reviewed, so it needs no question, except about what cannot be undone.
 * @returns an exit code where it may not go on
 */
async function showAndAsk(operation: "up" | "destroy", args: Arguments, session: Session, parts: RunParts, plan?: GivenPlan): Promise<ExitCode | undefined> {
  const shown = await run(operation === "up" ? "preview" : "preview-destroy", args, session, parts);
  if (shown.code !== EXIT.done) return shown.code;
  if (plan !== undefined) await holdAgainst(plan, shown.setup, shown.report);
  if (args.flag("lab")) return undefined;
  const site = shown.setup.program.site;
  const { graph } = shown.setup.program;
  const gated = gatedChanges(shown.report, (stack) => graph.node(stack).production === true);
  const left = unapproved(gated, args.text("approve"));
  const save = (): Promise<void> => backUp(graph, lostBy(shown.report), session);
  if (plan !== undefined && left.length === 0) return save().then(() => undefined);
  if (args.flag("yes") || !session.terminal.asks) {
    refuseUnapproved(operation, left);
    return save().then(() => undefined);
  }
  if (left.length > 0) session.out(`This ${left.some(({ what }) => what.includes("/")) ? "cannot be undone" : "is production"}:\n${gateLines(left)}\n`);
  const agreed =
    operation === "up" && left.length === 0
      ? await askToGoOn(session, `Change the homelab ${site} as shown?`)
      : await askByName(session, operation === "up" ? "This changes as shown" : "This destroys what is shown of", site);
  if (agreed) return save().then(() => undefined);
  session.out("nothing was changed\n");
  return EXIT.refused;
}

async function previewStacks(args: Arguments, session: Session, parts: RunParts): Promise<ExitCode> {
  const file = args.text("plan");
  const { code, report, setup } = await run("preview", args, session, parts);
  if (file === undefined) return code;
  if (report.ok) await writePlan(setup, report, session, file);
  else session.err(`note: no plan was written to ${file}: the preview is incomplete\n`);
  return code;
}

/** A run that ends before it has a report, by a refusal too, still writes its comment. */
async function withComment(operation: RunOperation, args: Arguments, session: Session, runIt: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await runIt();
  } catch (thrown) {
    const markdown = args.text("markdown");
    const how = thrown instanceof HomelabError && thrown.code === REFUSED ? "refused" : "failed";
    // Redacted before it is made into Markdown, which changes characters of a secret.
    const why = session.redactor.redact(describeError(thrown));
    if (markdown !== undefined) session.writeFile(path.resolve(markdown), renderNoReport(why, { operation, how }), 0o644);
    throw thrown;
  }
}

/** The reviewed plan that an `up` must match. The run has the plan's stacks. */
function planOfRun(args: Arguments, env: Readonly<Record<string, string>>): GivenPlan | undefined {
  const file = args.text("plan");
  if (file === undefined) return undefined;
  if (args.words.length > 0 || args.flag("only"))
    throw new HomelabError("E_USAGE", "--plan says which stacks are run: no others can be named", { hint: "leave out the stacks, or make another plan" });
  return readPlan(file, env);
}

/** Runs one operation over the chosen stacks (none named = all). What changes the real homelab is shown and asked for first. */
export function runStacks(operation: RunOperation, args: Arguments, session: Session, parts: RunParts = REAL_PARTS): Promise<ExitCode> {
  return withComment(operation, args, session, () => runChosen(operation, args, session, parts));
}

async function runChosen(operation: RunOperation, args: Arguments, session: Session, parts: RunParts): Promise<ExitCode> {
  if (args.text("affected") !== undefined && parts.affected === undefined && (operation === "up" || operation === "preview"))
    return runAffected(operation, args, session, parts, (what, chosen, given) => runStacks(what, chosen, session, given));
  if (operation === "preview") return previewStacks(args, session, parts);
  if (operation === "preview-destroy") return (await run(operation, args, session, parts)).code;
  const { runsDir, env } = await parts.openSite(args.flag("lab"));
  const plan = planOfRun(args, env);
  const asked = operation === "refresh" || (args.flag("lab") && plan === undefined) ? undefined : operation;
  if (asked !== undefined && plan === undefined && !args.flag("yes"))
    refuseUnasked(session, `homelab ${operation} changes the real homelab`, args.flag("json"));
  const planned = plan?.facts.stacks.map(({ stack }) => stack);
  const chosen = planned === undefined ? args : forOnly(args, planned);
  // The runs of the rebuild itself do not print this.
  if (parts.takeOver === undefined) for (const line of rebuildLines(runsDir)) session.err(`note: ${line}\n`);
  const askAndRun = async (): Promise<ExitCode> => {
    const refused = asked === undefined ? undefined : await showAndAsk(asked, chosen, session, parts, plan);
    return refused ?? (await run(operation, chosen, session, parts)).code;
  };
  return whileHeld(runsDir, operation, session, askAndRun, args.flag("wait"));
}
