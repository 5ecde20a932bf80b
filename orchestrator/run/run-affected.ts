/** `up` and `preview` with `--affected`: stacks that the program no longer has are destroyed first, then the affected stacks are run. */
import { type Arguments, forOnly, usageError } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { buildReport } from "../report/report";
import type { RunReport } from "../report/report-schema";
import { engineOf } from "../target/engine";
import type { FormerCheckout } from "../target/former-checkout";
import { StackGraph } from "../target/graph";
import type { Site } from "../target/site";
import { type Affected, reasonText, whyLines } from "./affected";
import { writeReportFiles } from "./report-files";
import type { RunOperation, RunParts } from "./run-setup";

/** Runs an operation over the stacks that the arguments name, with gates and locks. */
type RunNext = (operation: RunOperation, args: Arguments, parts: RunParts) => Promise<ExitCode>;

function refuseOtherChoices(args: Arguments): void {
  if (args.words.length > 0) throw usageError("--affected says which stacks are run: none can be named", "leave out the stacks, or --affected");
  if (args.flag("only")) throw usageError("--affected and --only exclude each other", "leave one of them out");
}

function tell(affected: Affected, commit: string, whole: boolean, session: Session): void {
  const since = commit.slice(0, 12);
  if (affected.stacks.length + affected.removed.length === 0) session.out(`nothing that a stack is built from has changed since ${since}\n`);
  for (const { name } of affected.removed) session.out(`${name}: not in the program any more, so it is destroyed\n`);
  for (const { stack, reason } of affected.stacks) session.out(whole ? `${whyLines(affected, stack).join("\n")}\n` : `${stack}: ${reasonText(reason)}\n`);
}

/** The settings of removed stacks, without which their states cannot be decrypted, are only in the former checkout. */
function removedParts({ removed }: Affected, former: FormerCheckout, parts: RunParts): RunParts {
  const names = new Set(removed.map(({ name }) => name));
  const graph = new StackGraph(removed.map((stack) => ({ ...stack, needs: stack.needs.filter((need) => names.has(need)) })));
  return {
    ...parts,
    describeProgram: async () => ({ ...(await parts.describeProgram()), graph, vms: new Map() }),
    openSite: async (useLab) => {
      const site = await parts.openSite(useLab);
      return site.kind === "lab" ? site : { ...site, workDir: former.dir };
    },
  };
}

/** The report of a run for which there is nothing to do: a comment says so, too. */
function reportOfNothing(operation: "up" | "preview", args: Arguments, session: Session, kind: Site["kind"]): RunReport {
  const { name, why } = engineOf(args);
  const at = session.clock.now();
  const none = { outcomes: [], warnings: [], estate: undefined, steps: new Map(), failures: new Map(), diagnostics: new Map() };
  return buildReport({ operation, site: kind, engine: { name, why }, startedAt: at, finishedAt: at, ...none });
}

/** @throws HomelabError E_USAGE for a range that does not end with the checkout, E_FORMER_CHECKOUT */
export async function runAffected(operation: "up" | "preview", args: Arguments, session: Session, parts: RunParts, next: RunNext): Promise<ExitCode> {
  refuseOtherChoices(args);
  const { env, runsDir, kind } = await parts.openSite(args.flag("lab"));
  const { affected, former } = await parts.changeSince(args.text("affected") ?? "", env, runsDir);
  try {
    if (!args.flag("json")) tell(affected, former.commit, args.flag("why"), session);
    let before: RunReport | undefined;
    if (affected.removed.length > 0) {
      const gone = { ...args, words: affected.removed.map(({ name }) => name) };
      const told = (report: RunReport): void => {
        before = report;
      };
      const code = await next(operation === "up" ? "destroy" : "preview-destroy", gone, { ...removedParts(affected, former, parts), affected, told });
      if (code !== EXIT.done) return code;
    }
    if (affected.stacks.length === 0) {
      if (before === undefined) writeReportFiles(reportOfNothing(operation, args, session, kind), args, session);
      return EXIT.done;
    }
    const stacks = affected.stacks.map(({ stack }) => stack);
    return await next(operation, forOnly(args, stacks), { ...parts, affected, ...(before === undefined ? {} : { before }) });
  } finally {
    former.remove();
  }
}
