/** `comment`: somebody's report, as the text of a comment. The report may be made by code that nobody has read yet. */
import * as fs from "node:fs";
import { z } from "zod";
import { HomelabError, systemErrorCode } from "../../common/errors";
import type { Arguments } from "../cli/arguments";
import { EXIT, type ExitCode } from "../cli/exit-codes";
import type { Session } from "../cli/session";
import { COMMENT_LIMITS, COMMENT_MARKER, type CommentRun, renderComment, renderNoReport } from "../report/comment";
import { reportSchema } from "../report/report-schema";

/** Far above any report of ours. */
const MAX_BYTES = 32 * 1024 * 1024;

/** What a regular file holds: nothing is read through a link, from a device, or from a pipe. Undefined where it is missing. */
function readGiven(file: string): string | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new HomelabError("E_REPORT_FILE", `${file} cannot be read`, { cause, subject: file });
  }
  try {
    const { size } = fs.fstatSync(fd);
    if (!fs.fstatSync(fd).isFile() || size > MAX_BYTES)
      throw new HomelabError("E_REPORT_FILE", `${file} is no report: not a file of at most 32 MiB`, { subject: file });
    return fs.readFileSync(fd, "utf8");
  } finally {
    fs.closeSync(fd);
  }
}

/** @throws HomelabError E_REPORT_FILE for what is no report of a run */
function parseReport(file: string, text: string) {
  try {
    return reportSchema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).split("\n").slice(0, 5).join("; ") : String(cause);
    throw new HomelabError("E_REPORT_FILE", `${file} is no report of a run: ${why.slice(0, 500)}`, { subject: file });
  }
}

/** @throws HomelabError for a `--github` beside a `--gitlab` */
function hostOf(args: Arguments): "github" | "gitlab" | undefined {
  const [github, gitlab] = [args.flag("github"), args.flag("gitlab")];
  if (github && gitlab) throw new HomelabError("E_USAGE", "comment takes --github or --gitlab, not both");
  return github ? "github" : gitlab ? "gitlab" : undefined;
}

/**
 * Prints the comment, or posts it on the pull request of this run. Without a report it is that of a preview that ended before its first
 * stack, with what `--failure` holds.
 */
export async function writeComment(args: Arguments, session: Session): Promise<ExitCode> {
  const file = args.text("report");
  if (file === undefined) throw new HomelabError("E_USAGE", "comment takes --report FILE", { hint: "a report is written by `homelab preview --report FILE`" });
  const host = hostOf(args);
  const text = readGiven(file);
  const report = text === undefined ? undefined : parseReport(file, text);
  const failure = args.text("failure");
  const why = (report !== undefined || failure === undefined ? undefined : readGiven(failure)) ?? "It left no word.";
  if (host === undefined) {
    session.out(report === undefined ? renderNoReport(why) : renderComment(report));
    return EXIT.done;
  }
  const { postOnGithub, postOnGitlab } = await import("./post");
  const render = (run: CommentRun & { conclusion?: string | undefined }): string => {
    const options = { limit: COMMENT_LIMITS[host], run };
    return session.redactor.redact(report === undefined ? renderNoReport(why, run, run.conclusion === "cancelled") : renderComment(report, options));
  };
  await (host === "github" ? postOnGithub : postOnGitlab)(session, COMMENT_MARKER, render);
  return EXIT.done;
}
