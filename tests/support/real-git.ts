/** A small Git repository in a folder, for programs that fetch by `file://`. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export class GitFolder {
  /** @param folder a new one; its branch is `main` */
  constructor(private readonly folder: string) {
    fs.mkdirSync(folder, { recursive: true });
    this.#git("init", "--quiet", "--initial-branch=main");
  }

  get url(): string {
    return `file://${this.folder}`;
  }

  /** One commit. @param files text by path; undefined: the file goes */
  commit(files: Readonly<Record<string, string | undefined>>): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      if (text === undefined) fs.rmSync(file);
      else fs.writeFileSync(file, text);
    }
    this.#git("add", "--all");
    this.#git("commit", "--quiet", "--message=test");
  }

  /** Nothing of the owner's configuration. */
  #git(...args: string[]): void {
    const who = { GIT_AUTHOR_NAME: "test", GIT_AUTHOR_EMAIL: "test@homelab.test", GIT_COMMITTER_NAME: "test", GIT_COMMITTER_EMAIL: "test@homelab.test" };
    const env = { PATH: process.env["PATH"], HOME: this.folder, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", ...who };
    execFileSync("git", ["-C", this.folder, ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
  }
}
