/** `make ci-local` runs a job's commands in order, in a clean copy of what is committed, until one fails. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..");
const PROGRAM = ["bin/pipelines", "bin/common", "Pulumi.yaml"];
let dir: string;
let work: string;

function run(program: string, args: string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: work,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: dir, SECRET: "of the shell" },
  });
  return { code: status, out: stdout, err: stderr };
}
const git = (...args: string[]): void => void run("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args]);
const ciLocal = (job: string) => run(process.execPath, ["bin/pipelines/ci-local.main.js", job]);
const steps = (out: string): string[] => out.split("\n").filter((line) => line.startsWith("ci-local: "));

/** A checkout with our program, and a Makefile and scripts that print how they were called. */
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "ci-local-test-"));
  work = path.join(dir, "work");
  for (const part of PROGRAM) fs.cpSync(path.join(ROOT, part), path.join(work, part), { recursive: true });
  fs.mkdirSync(path.join(work, "node_modules"));
  for (const name of ["zod", "semver"]) fs.symlinkSync(path.join(ROOT, "node_modules", name), path.join(work, "node_modules", name));
  fs.writeFileSync(path.join(work, "node_modules", ".package-lock.json"), "{}");
  fs.writeFileSync(path.join(work, ".gitignore"), "node_modules/\n/bin/\n");
  fs.writeFileSync(path.join(work, "Makefile"), "bin/.built:\n\t@echo made $(CURDIR) $(CI) $(SECRET) $(HOME)\ntest:\n\t@echo tests; exit 3\n");
  const script = (name: string): string => `echo script ${name} && test ! -e untracked && test -e node_modules/.package-lock.json`;
  const scripts = Object.fromEntries(["lint", "typecheck", "deps", "knip", "pipelines:check", "commits"].map((name) => [name, script(name)]));
  fs.writeFileSync(path.join(work, "package.json"), JSON.stringify({ name: "homelab", version: "0.1.0", scripts }));
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-q", "-m", "feat: all");
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

test("all commands of a job run in order, in a clone, with CI's environment and none of the shell's", () => {
  fs.writeFileSync(path.join(work, "untracked"), "");
  const { code, out, err } = ciLocal("check");
  expect([code, err]).toEqual([0, ""]);
  expect(steps(out)).toEqual([
    "ci-local: what is not committed here does not run",
    "ci-local: left out: actions/checkout, which only the host has",
    "ci-local: left out: actions/setup-node, which only the host has",
    ...["make bin/.built", "npm run lint", "npm run typecheck", "npm run deps", "npm run knip", "npm run pipelines:check"].map(
      (command) => `ci-local: $ ${command}`,
    ),
    "ci-local: job check passed",
  ]);
  const [, place = "", rest] = /^made (\S+) (.*)$/m.exec(out) ?? [];
  expect([place === work, rest]).toEqual([false, expect.stringMatching(/^true \S+\/home$/)]);
  expect(fs.existsSync(place)).toBe(false);
});

test.each(["lint", "typecheck", "deps", "knip", "pipelines:check"])("a failure of %s ends the job with its exit code, and nothing after it runs", (name) => {
  const file = path.join(work, "package.json");
  const manifest = JSON.parse(fs.readFileSync(file, "utf8")) as { scripts: Record<string, string> };
  manifest.scripts[name] = "exit 7";
  fs.writeFileSync(file, JSON.stringify(manifest));
  git("commit", "-q", "-a", "-m", "fix: broken");
  const { code, out } = ciLocal("check");
  expect([code, steps(out).slice(-2)]).toEqual([7, [`ci-local: $ npm run ${name}`, `ci-local: npm run ${name} ended with 7: job check failed`]]);
});

test("a failure of make is one of the job; what writes outside, and what is no job, is refused by name", () => {
  expect(ciLocal("test")).toMatchObject({ code: 2, out: expect.stringContaining("job test failed") });
  for (const job of ["up", "release", "comment", "deploy"])
    expect(ciLocal(job)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(new RegExp(`the job ${job} changes what is outside[^]*next: run one of check,`)),
    });
  expect(ciLocal("no-such-job")).toMatchObject({ code: 1, err: expect.stringMatching(/there is no job no-such-job\n {2}next: use one of check/) });
  expect(ciLocal("")).toMatchObject({ code: 2, err: expect.stringContaining("usage: make ci-local JOB=<name>, one of check, ") });
});
