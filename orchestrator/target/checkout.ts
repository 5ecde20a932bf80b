/** What git says of the checkout whose program runs. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { projectRoot } from "../../common/paths";

export interface CheckoutCommit {
  hash: string;
  /** Whether no file that git knows differs from it. */
  clean: boolean;
}

/** Undefined where there is no git, or no repository: an archive of the sources runs too. */
export async function checkoutCommit(): Promise<CheckoutCommit | undefined> {
  const git = (...args: string[]) => promisify(execFile)("git", args, { cwd: projectRoot() });
  try {
    const [head, status] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain", "--untracked-files=no")]);
    return { hash: head.stdout.trim(), clean: status.stdout === "" };
  } catch {
    return undefined;
  }
}
