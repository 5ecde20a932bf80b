/** What Git knows of a file of the checkout. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { childEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;
/** At most so many commits of a file are looked through. */
const COMMITS = 200;

async function git(root: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run("git", ["-C", root, ...args], { env: childEnv({}), timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (cause) {
    throw new HomelabError("E_GIT", `git ${args[0]} does not work in ${root}`, { cause, subject: root, hint: "the checkout must be a Git repository" });
  }
}

/** When the last commit that changed a line was made; undefined where the line is not committed yet. @param line from 1 */
export async function lineSince(root: string, file: string, line: number): Promise<Date | undefined> {
  const text = await git(root, "blame", "--porcelain", "-L", `${line},${line}`, "--", file);
  const [commit = ""] = text.split(" ");
  const time = /^committer-time (\d+)$/m.exec(text)?.[1];
  return time === undefined || /^0+$/.test(commit) ? undefined : new Date(Number(time) * 1000);
}

/** The text of a file after each commit that changed it, newest first. Commits that removed it are left out. */
export async function* textsOf(root: string, file: string): AsyncGenerator<string> {
  const commits = (await git(root, "log", `--max-count=${COMMITS}`, "--diff-filter=ACMRT", "--format=%H", "--", file))
    .split("\n")
    .filter((line) => line !== "");
  for (const commit of commits) yield await git(root, "show", `${commit}:./${file}`);
}

/** Whether a file, or everything in a folder, is as in the last commit. */
export const isCommitted = async (root: string, file: string): Promise<boolean> => (await git(root, "status", "--porcelain", "--", file)).trim() === "";

/** The commit that the checkout is at. */
export const headOf = async (root: string): Promise<string> => (await git(root, "rev-parse", "HEAD")).trim();

/** The last commit that changed a file. @throws HomelabError E_GIT where no commit has it */
export async function lastCommitOf(root: string, file: string): Promise<string> {
  const commit = (await git(root, "log", "--max-count=1", "--format=%H", "--", file)).trim();
  if (commit === "")
    throw new HomelabError("E_GIT", `no commit has ${file}`, { subject: file, hint: "name a stage that has settings, in a clone with all commits" });
  return commit;
}

/** Whether a commit is in the history of another one; false also where the clone lacks one of them. */
export async function isAncestor(root: string, commit: string, of: string): Promise<boolean> {
  try {
    await run("git", ["-C", root, "merge-base", "--is-ancestor", commit, of], { env: childEnv({}), timeout: TIMEOUT_MS });
    return true;
  } catch {
    // Exit code 1: it is not. 128: the clone lacks a commit, such as that of a push made after it was cloned.
    return false;
  }
}
