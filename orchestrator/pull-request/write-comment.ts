/** `comment`: a report, as the text of a comment. The report is not trusted: code that nobody has reviewed yet may have written it. */
import { HomelabError } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { COMMENT_LIMITS, COMMENT_MARKER, type CommentRun, renderComment, renderNoReport } from "../report/comment";
import { reportSchema } from "../report/report-schema";
import { hostOf, lastWord, parseGiven, readGiven } from "./given-files";

/**
 * Prints the comment, or posts it on the pull request of this run. Without a report, the comment says that the preview ended before its first
 * stack, and shows the text of `--failure`.
 */
export async function writeComment(args: Arguments, session: Session): Promise<ExitCode> {
  const file = args.text("report");
  if (file === undefined) throw new HomelabError("E_USAGE", "comment takes --report FILE", { hint: "a report is written by `homelab preview --report FILE`" });
  const host = hostOf(args, "comment");
  const text = readGiven(file);
  const report = text === undefined ? undefined : parseGiven(file, text, reportSchema, "report of a run");
  const why = report === undefined ? lastWord(args) : "";
  if (host === undefined) {
    session.out(report === undefined ? renderNoReport(why) : renderComment(report));
    return EXIT.done;
  }
  const { postOnGithub, postOnGitlab } = await import("./post");
  const render = (run: CommentRun & { conclusion?: string | undefined }): string => {
    const options = { limit: COMMENT_LIMITS[host], run };
    return session.redactor.redact(
      report === undefined ? renderNoReport(why, { run, how: run.conclusion === "cancelled" ? "cancelled" : "failed" }) : renderComment(report, options),
    );
  };
  await (host === "github" ? postOnGithub : postOnGitlab)(session, COMMENT_MARKER, render);
  return EXIT.done;
}
