/** Git as a program: arguments are never text of a shell. */
import { spawnSync } from "node:child_process";
import { readEnv } from "../common/env";
import { HomelabError } from "../common/errors";

export interface Commit {
  readonly hash: string;
  readonly subject: string;
  readonly body: string;
}

/** What git printed. @throws HomelabError E_GIT with its own words */
export function git(folder: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("git", args, { cwd: folder, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  if (error !== undefined) throw new HomelabError("E_GIT", "git cannot be started", { cause: error, hint: "install git" });
  if (status !== 0) throw new HomelabError("E_GIT", `git ${args.find((arg) => !arg.startsWith("-")) ?? ""} failed: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  return stdout;
}

/** Options with which Git has the host's token: in the environment of its helper, never in an argument, an address or a file. None without a token. */
export function credentials(): string[] {
  const [variable, user] = readEnv("GITHUB_TOKEN") === undefined ? ["GITLAB_TOKEN", "oauth2"] : ["GITHUB_TOKEN", "x-access-token"];
  const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' ${user} "$${variable}"; }; f`;
  if (readEnv(variable) === undefined) return [];
  // GitLab's runner writes the job's own token into the address of `origin`, which may not push, and no helper is asked then.
  const project = variable === "GITLAB_TOKEN" ? readEnv("CI_PROJECT_URL") : undefined;
  const address = project === undefined ? [] : ["-c", `remote.origin.pushurl=${project}.git`];
  return ["-c", "credential.helper=", "-c", `credential.helper=${helper}`, ...address];
}

/**
 * Commits of a range, the newest first; merges are left out, since what they merge is in the range.
 * @throws HomelabError E_SHALLOW where the clone does not hold all of them
 */
export function commitsOf(folder: string, range: string): Commit[] {
  if (git(folder, "rev-parse", "--is-shallow-repository").trim() === "true")
    throw new HomelabError("E_SHALLOW", "this clone holds only the newest commits", {
      hint: "fetch all of them: fetch-depth 0 on GitHub, GIT_DEPTH 0 on GitLab",
    });
  const text = git(folder, "log", "--no-merges", "-z", "--format=%H%n%s%n%b", range, "--");
  return text
    .split("\0")
    .filter((one) => one !== "")
    .map((one) => {
      const [hash = "", subject = "", ...body] = one.split("\n");
      return { hash, subject, body: body.join("\n").trim() };
    });
}
