/**
 * The repository behind a host's API, as far as a change of files needs it: branches, and commits, each with all of its files. A commit's
 * name is a digest of its content.
 */
import { createHash } from "node:crypto";

type Files = ReadonlyMap<string, string>;

interface Commit {
  readonly files: Files;
  readonly parent: string | undefined;
  readonly message: string;
}

export class GitData {
  readonly branches = new Map<string, string>();
  readonly #commits = new Map<string, Commit>();
  /** GitHub's trees that no commit uses yet. */
  readonly #trees = new Map<string, Files>();

  #name(of: unknown): string {
    return createHash("sha1").update(JSON.stringify(of)).digest("hex");
  }

  tree(files: Files): string {
    const sha = this.#name(["tree", ...[...files].toSorted()]);
    this.#trees.set(sha, files);
    return sha;
  }

  files(tree: string): Files | undefined {
    return this.#trees.get(tree);
  }

  /** Sets a branch to a commit that somebody has pushed, under the commit's real name. */
  push(branch: string, commit: string, files: Files): void {
    this.#commits.set(commit, { files, parent: undefined, message: "pushed" });
    this.branches.set(branch, commit);
  }

  commit(files: Files, parent: string | undefined, message: string): string {
    const tree = this.tree(files);
    const sha = this.#name(["commit", tree, parent ?? null, message, this.#commits.size]);
    this.#commits.set(sha, { files, parent, message });
    return sha;
  }

  found(commit: string): (Commit & { readonly tree: string }) | undefined {
    const known = this.#commits.get(commit);
    return known === undefined ? undefined : { ...known, tree: this.tree(known.files) };
  }

  /** The files of a branch or a commit. */
  at(ref: string): Files | undefined {
    return this.#commits.get(this.branches.get(ref) ?? ref)?.files;
  }
}
