import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { childEnv } from "../../common/env";
import { askGit } from "./checkout";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-checkout-"));
afterAll(() => fs.rmSync(dir, { recursive: true }));
/** Looks for no repository above the folder, and reads nobody's settings. */
const env = childEnv({ GIT_CEILING_DIRECTORIES: path.dirname(dir), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" });
const git = (...args: string[]): string => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" });

test("git says why it tells no commit: it is not there, there is no repository, or it refuses this one", async () => {
  expect(await askGit(dir, { ...env, PATH: dir })).toEqual({ why: "git cannot be found on PATH" });
  expect(await askGit(dir, env)).toEqual({ why: "no git repository" });
  git("init", "--quiet");
  expect(await askGit(dir, { ...env, GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" })).toEqual({ why: expect.stringMatching(/dubious ownership in repository at/) });
});

test("a commit is clean where no file that git knows differs from it", async () => {
  fs.writeFileSync(path.join(dir, "file"), "one");
  git("add", "file");
  git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "one");
  fs.writeFileSync(path.join(dir, "other"), "not known");
  const hash = git("rev-parse", "HEAD").trim();
  expect(await askGit(dir, env)).toEqual({ hash, clean: true });
  fs.writeFileSync(path.join(dir, "file"), "two");
  expect(await askGit(dir, env)).toEqual({ hash, clean: false });
});
