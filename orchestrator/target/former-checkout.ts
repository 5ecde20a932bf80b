/** The checkout as it was at a commit, in a folder of its own, so that its program can be asked what its stacks were built from. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { childEnv } from "../../common/env";
import { asError, HomelabError } from "../../common/errors";
import { projectRoot } from "../../common/paths";

const MAX_OUTPUT_BYTES = 64 * 1024 ** 2;

async function git(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)("git", args, { cwd: projectRoot(), env: childEnv(env), maxBuffer: MAX_OUTPUT_BYTES });
  return stdout.trim();
}

const RANGE_HINT = "name a commit, or a range that ends at HEAD: `main`, `main..HEAD`, `main...HEAD`";

/** @throws HomelabError E_USAGE where there is no such commit */
async function commitOf(name: string): Promise<string> {
  try {
    return await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  } catch (cause) {
    const isShallow = await git(["rev-parse", "--is-shallow-repository"]).catch(() => undefined);
    if (isShallow === undefined)
      throw new HomelabError("E_USAGE", `commits cannot be compared: Git cannot be asked in ${projectRoot()}`, {
        cause,
        subject: projectRoot(),
        hint: "use a clone of Git, or run without --affected",
      });
    const hint = isShallow === "true" ? `this clone is shallow: \`git fetch --unshallow\`, and if that does not help, ${RANGE_HINT}` : RANGE_HINT;
    throw new HomelabError("E_USAGE", `git knows no commit ${name}`, { subject: name, hint });
  }
}

/**
 * The commit at which a range starts. The range must end at the commit that is checked out, whose program runs.
 * @param range `main`, `main..HEAD`, `main...HEAD` (from where the two parted)
 * @throws HomelabError E_USAGE for a range with another end
 */
export async function baseOfRange(range: string): Promise<string> {
  const [, from = "", dots, to = ""] = /^(.*?)(?:(\.{2,3})(.*))?$/.exec(range) ?? [];
  const head = await commitOf("HEAD");
  if (dots !== undefined && (await commitOf(to === "" ? "HEAD" : to)) !== head)
    throw new HomelabError("E_USAGE", `the range ${range} does not end at the commit that is checked out, which is what would run`, {
      subject: range,
      hint: RANGE_HINT,
    });
  const base = await commitOf(from === "" ? "HEAD" : from);
  if (dots !== "...") return base;
  try {
    return await git(["merge-base", base, head]);
  } catch (cause) {
    throw new HomelabError("E_USAGE", `${from} and HEAD have no commit in common`, { cause, subject: range, hint: RANGE_HINT });
  }
}

export interface FormerCheckout {
  commit: string;
  dir: string;
  remove(): void;
}

/**
 * Writes the files of a commit into a folder of its own and compiles them. Packages are those of this checkout.
 * @throws HomelabError E_FORMER_CHECKOUT where that commit cannot be written or compiled
 */
export async function formerCheckout(commit: string): Promise<FormerCheckout> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-former-"));
  const remove = (): void => fs.rmSync(dir, { recursive: true, force: true });
  try {
    const index = path.join(dir, ".index");
    await git(["read-tree", commit], { GIT_INDEX_FILE: index });
    await git(["checkout-index", "--all", `--prefix=${dir}${path.sep}`], { GIT_INDEX_FILE: index });
    fs.rmSync(index);
    fs.symlinkSync(path.join(projectRoot(), "node_modules"), path.join(dir, "node_modules"));
    await promisify(execFile)(process.execPath, [path.join(dir, "build", "build.cjs")], { cwd: dir, env: childEnv({}) });
    return { commit, dir, remove };
  } catch (cause) {
    remove();
    throw new HomelabError("E_FORMER_CHECKOUT", `the program of commit ${commit.slice(0, 12)} cannot be made: ${asError(cause).message.split("\n")[0]}`, {
      cause,
      subject: commit,
      hint: "name a later commit, or run without --affected",
    });
  }
}
