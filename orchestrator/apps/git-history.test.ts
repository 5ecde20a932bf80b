import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isAncestor, isCommitted, lastCommitOf, textsOf } from "./git-history";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-history-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const git = (...args: string[]): void => {
  execFileSync("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { stdio: "pipe" });
};

test("a file that was removed for a while has the texts from before and after, the last first", async () => {
  const file = path.join(root, "Pulumi.dev.yaml");
  git("init", "-q");
  for (const text of ["1", undefined, "2"]) {
    if (text === undefined) fs.rmSync(file);
    else fs.writeFileSync(file, text);
    git("add", "-A");
    git("commit", "-qm", "x");
  }
  const texts: string[] = [];
  for await (const text of textsOf(root, "Pulumi.dev.yaml")) texts.push(text);
  expect(texts).toEqual(["2", "1"]);
  expect(await isCommitted(root, "Pulumi.dev.yaml")).toBe(true);
  fs.writeFileSync(file, "3");
  expect(await isCommitted(root, "Pulumi.dev.yaml")).toBe(false);
});

test("the last commit that changed a file, and none of a file that no commit has", async () => {
  git("init", "-q");
  for (const name of ["Pulumi.dev.yaml", "other"]) {
    fs.writeFileSync(path.join(root, name), "1");
    git("add", "-A");
    git("commit", "-qm", name);
  }
  const commit = execFileSync("git", ["-C", root, "rev-parse", "HEAD~1"], { encoding: "utf8" }).trim();
  expect(await lastCommitOf(root, "Pulumi.dev.yaml")).toBe(commit);
  expect([await isAncestor(root, commit, "HEAD"), await isAncestor(root, "HEAD", commit), await isAncestor(root, commit, "1".repeat(40))]).toEqual([
    true,
    false,
    false,
  ]);
  await expect(lastCommitOf(root, "Pulumi.stg.yaml")).rejects.toMatchObject({ code: "E_GIT", message: "no commit has Pulumi.stg.yaml" });
});
