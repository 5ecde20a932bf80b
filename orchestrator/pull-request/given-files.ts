/** Files that another job of the run wrote. They are not trusted: that job may have run anybody's code. */
import * as fs from "node:fs";
import { z } from "zod";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { readRegularFile } from "../../common/files";
import type { Arguments } from "../cli/arguments";

/** Far more than any report of ours has. */
const MAX_BYTES = 32 * 1024 * 1024;

/** The text of a regular file: nothing is read through a link, from a device, or from a pipe. Undefined where it is missing. */
export function readGiven(file: string): string | undefined {
  let text: string | undefined;
  try {
    text = readRegularFile(file, MAX_BYTES, fs.constants.O_NOFOLLOW);
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return undefined;
    throw new HomelabError("E_REPORT_FILE", `${file} cannot be read`, { cause, subject: file });
  }
  if (text === undefined) throw new HomelabError("E_REPORT_FILE", `${file} is no report: not a file of at most 32 MiB`, { subject: file });
  return text;
}

/**
 * @param what it should be: `report of a run`
 * @throws HomelabError E_REPORT_FILE where it is not
 */
export function parseGiven<T>(file: string, text: string, schema: z.ZodType<T>, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown).split("\n").slice(0, 5).join("; ") : String(thrown);
    // It may quote the file: on one line, so that it cannot give the host's log a command.
    const line = why.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
    throw new HomelabError("E_REPORT_FILE", `${file} is no ${what}: ${line.slice(0, 500)}`, { subject: file });
  }
}

/** The last output of a run that has no report (`--failure`). */
export function lastWord(args: Arguments): string {
  const file = args.text("failure");
  return (file === undefined ? undefined : readGiven(file)) ?? "Its output is not known.";
}

/** @throws HomelabError for a `--github` beside a `--gitlab` */
export function hostOf(args: Arguments, command: string): "github" | "gitlab" | undefined {
  const [github, gitlab] = [args.flag("github"), args.flag("gitlab")];
  if (github && gitlab) throw new HomelabError("E_USAGE", `${command} takes --github or --gitlab, not both`);
  return github ? "github" : gitlab ? "gitlab" : undefined;
}
