/** Lines that a CI host folds. */
import { readEnv } from "../../common/env";

export type CiHost = "github" | "gitlab";

/** Whose log it is, by the variables that each host sets for its jobs. */
export function ciHost(): CiHost | undefined {
  if (readEnv("GITHUB_ACTIONS") === "true") return "github";
  return readEnv("GITLAB_CI") === "true" ? "gitlab" : undefined;
}

/**
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines and
 * https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 * @param name of letters, digits, `_`, `.` and `-`
 * @param at milliseconds since the epoch: when what is in it began, and ended
 */
export function groupOf(host: CiHost, name: string, title: string, lines: readonly string[], at: { from: number; to: number }): string[] {
  if (host === "github") return [`::group::${title}`, ...lines, "::endgroup::"];
  const seconds = (ms: number): number => Math.floor(ms / 1_000);
  return [
    `\x1b[0Ksection_start:${seconds(at.from)}:${name}[collapsed=true]\r\x1b[0K${title}`,
    ...lines,
    `\x1b[0Ksection_end:${seconds(at.to)}:${name}\r\x1b[0K`,
  ];
}
