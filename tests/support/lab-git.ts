/** A checkout of a repository that the lab serves. Real git clones it and pushes to it, with the lab's proxy, authority and credentials. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { gitEnv, writeFiles } from "./real-git";

const run = promisify(execFile);

export interface LabGitAccess {
  readonly proxy: string;
  readonly caPem: string;
  readonly credential: { readonly username: string; readonly password: string };
}

export class LabGit {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-lab-git-"));
  readonly checkout = path.join(this.#folder, "checkout");
  readonly #env: NodeJS.ProcessEnv;

  private constructor(
    readonly url: string,
    { proxy, caPem, credential }: LabGitAccess,
  ) {
    const ca = path.join(this.#folder, "ca.pem");
    fs.writeFileSync(ca, caPem);
    const login = Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
    this.#env = {
      ...gitEnv(this.#folder),
      ...{ https_proxy: proxy, GIT_SSL_CAINFO: ca },
      ...{ GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.extraHeader", GIT_CONFIG_VALUE_0: `Authorization: Basic ${login}` },
    };
  }

  /** A clone of the repository, which may be empty; its branch is `main`. */
  static async clone(url: string, access: LabGitAccess): Promise<LabGit> {
    const git = new LabGit(url, access);
    await run("git", ["clone", "--quiet", url, git.checkout], { env: git.#env });
    await git.git("symbolic-ref", "HEAD", "refs/heads/main");
    return git;
  }

  /** Runs git in the checkout. @returns its output */
  async git(...args: string[]): Promise<string> {
    return (await run("git", ["-C", this.checkout, ...args], { env: this.#env })).stdout.trim();
  }

  /** One commit, pushed. @param files as `writeFiles` takes them. @returns its digest */
  async push(files: Readonly<Record<string, string | undefined>>): Promise<string> {
    writeFiles(this.checkout, files);
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--allow-empty", "--message=test");
    await this.git("push", "--quiet", "origin", "main");
    return this.git("rev-parse", "HEAD");
  }

  remove(): void {
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
