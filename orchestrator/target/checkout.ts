/** What git says of the checkout whose program runs. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { childEnv } from "../../common/env";
import { asError, describeError, systemErrorCode } from "../../common/errors";
import { projectRoot } from "../../common/paths";

export interface CheckoutCommit {
  hash: string;
  /** Whether no file that git knows differs from it. */
  clean: boolean;
}

/** Why git tells no commit. */
export interface NoCommit {
  why: string;
}

function reasonOf(thrown: unknown): string {
  if (systemErrorCode(thrown) === "ENOENT") return "git cannot be found on PATH";
  const said = typeof thrown === "object" && thrown !== null && "stderr" in thrown ? String(thrown.stderr).trim() : "";
  const [first = ""] = said.split("\n");
  return /not a git repository/.test(first) ? "no git repository" : first || describeError(asError(thrown));
}

/** @param dir a folder of the checkout. @param env of git */
export async function askGit(dir = projectRoot(), env = childEnv({})): Promise<CheckoutCommit | NoCommit> {
  const git = (...args: string[]) => promisify(execFile)("git", args, { cwd: dir, env });
  try {
    const [head, status] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")]);
    return { hash: head.stdout.trim(), clean: status.stdout === "" };
  } catch (thrown) {
    return { why: reasonOf(thrown) };
  }
}

/** Undefined where git tells none: an archive of the sources runs too. */
export async function checkoutCommit(): Promise<CheckoutCommit | undefined> {
  const said = await askGit();
  return "why" in said ? undefined : said;
}
