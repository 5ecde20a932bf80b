/** `issue`: what `homelab drift` found, as one issue that is opened, updated, and closed when nothing differs any more. */
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { hostOf, lastWord, parseGiven, readGiven } from "../pull-request/given-files";
import type { IssueOfRun } from "../pull-request/post";
import { COMMENT_LIMITS, type CommentRun } from "../report/comment";
import { DRIFT_MARKER, renderDriftIssue, renderNoDriftReport } from "./drift-issue";
import { driftSchema } from "./drift-schema";

/** Prints the issue, or opens, updates or closes it on the host of this run. */
export async function writeIssue(args: Arguments, session: Session): Promise<ExitCode> {
  const file = args.text("drift");
  if (file === undefined) throw new HomelabError("E_USAGE", "issue takes --drift FILE", { hint: "it is written by `homelab drift --report FILE`" });
  const host = hostOf(args, "issue");
  const text = readGiven(file);
  const report = text === undefined ? undefined : parseGiven(file, text, driftSchema, "report of a drift");
  const why = report === undefined ? lastWord(args) : "";
  const render = (run?: CommentRun): IssueOfRun => {
    const limit = COMMENT_LIMITS[host ?? "github"];
    const { open, title, body } = report === undefined ? renderNoDriftReport(session.redactor.redact(why), run) : renderDriftIssue(report, { limit, run });
    return { open, title: session.redactor.redact(title), body: session.redactor.redact(body) };
  };
  if (host === undefined) {
    const { open, title, body } = render();
    session.out(open ? `# ${title}\n\n${body}` : `nothing differs: an open issue would be closed\n`);
    return EXIT.done;
  }
  const { settleOnGithub, settleOnGitlab } = await import("../pull-request/post");
  await (host === "github" ? settleOnGithub : settleOnGitlab)(session, DRIFT_MARKER, render);
  return EXIT.done;
}
