/**
 * The repository behind a host's API, as far as a change of files needs it: commits as whole sets of texts, and branches. Names of
 * commits are digests of what they hold.
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
  /** GitHub's trees, before they are of a commit. */
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

  /** A branch as somebody has pushed it: under the name that the commit has there. */
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

  /** What a branch or a commit has. */
  at(ref: string): Files | undefined {
    return this.#commits.get(this.branches.get(ref) ?? ref)?.files;
  }
}
