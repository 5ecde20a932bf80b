/** Git as a program: arguments are never text of a shell. */
import { spawnSync } from "node:child_process";
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
