/** A small Git repository in a folder, for programs that fetch by `file://`. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** The environment of git in a test, without the owner's configuration. */
export const gitEnv = (home: string): NodeJS.ProcessEnv => ({
  ...{ PATH: process.env["PATH"], HOME: home, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  ...{ GIT_AUTHOR_NAME: "test", GIT_AUTHOR_EMAIL: "test@homelab.test", GIT_COMMITTER_NAME: "test", GIT_COMMITTER_EMAIL: "test@homelab.test" },
});

/** @param files text by path; undefined deletes the file or folder */
export function writeFiles(folder: string, files: Readonly<Record<string, string | undefined>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (text === undefined) fs.rmSync(file, { recursive: true });
    else fs.writeFileSync(file, text);
  }
}

export class GitFolder {
  /** @param folder a new folder; the branch is `main` */
  constructor(private readonly folder: string) {
    fs.mkdirSync(folder, { recursive: true });
    this.#git("init", "--quiet", "--initial-branch=main");
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  /** One commit. @param files as {@link writeFiles} takes them */
  commit(files: Readonly<Record<string, string | undefined>>): void {
    writeFiles(this.folder, files);
    this.#git("add", "--all");
    this.#git("commit", "--quiet", "--message=test");
  }

  #git(...args: string[]): void {
    execFileSync("git", ["-C", this.folder, ...args], { env: gitEnv(this.folder), stdio: ["ignore", "ignore", "inherit"] });
  }
}
