/** `make ci-local` runs a job's commands in order, in a clean copy of what is committed, until one fails. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { JOBS } from "../../pipelines/jobs";

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
  for (const name of ["zod", "semver", "yaml"]) fs.symlinkSync(path.join(ROOT, "node_modules", name), path.join(work, "node_modules", name));
  fs.writeFileSync(path.join(work, "node_modules", ".package-lock.json"), "{}");
  fs.writeFileSync(path.join(work, ".gitignore"), "node_modules/\n/bin/\n");
  fs.writeFileSync(
    path.join(work, "Makefile"),
    "bin/.built:\n\t@echo made $(CURDIR) $(CI) $(SECRET) $(HOME)\ntest:\n\t@echo tests; exit 3\nlab-of-base:\n\t@echo lab of $(CURDIR), $(BASE), in $(HOMELAB_LAB_DIR)\n",
  );
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

test("a failure of make is one of the job", () => {
  expect(ciLocal("test")).toMatchObject({ code: 2, out: expect.stringContaining("job test failed") });
});

test("a job of GitHub alone has its checkout where its commands look for it", () => {
  const { code, out, err } = ciLocal("lab-of-main");
  expect([code, err]).toEqual([0, ""]);
  expect(steps(out)).toContain("ci-local: $ make -C base lab-of-base BASE=.");
  expect(out).toMatch(/^lab of (\S+)\/base, \., in \1\/lab$/m);
});

test("what only the host or the real homelab has is refused by name, with why; so is what is no job", () => {
  const host = "asks or changes what the host has, with a token of the host";
  const homelab = "needs the real homelab: its secrets, and the runner that reaches its servers";
  const made = "is made of what only the host has";
  const refused = {
    ...Object.fromEntries(["comment", "release", "deploy", "delivered", "drift-issue"].map((job) => [job, host])),
    ...Object.fromEntries(["plan", "up", "rollout", "drift"].map((job) => [job, homelab])),
    trivy: `of security.yml ${made}: aquasecurity/trivy-action, github/codeql-action/upload-sarif`,
    trufflehog: `of security.yml ${made}: trufflesecurity/trufflehog`,
    images: `of images.yml ${made}: build-and-push.yml`,
    "prod-tests": `of application.yml ${made}: cypress.yml`,
    tag: `of version.yml ${made}: its own tokens`,
  };
  for (const [job, why] of Object.entries(refused))
    expect([job, ciLocal(job)]).toEqual([
      job,
      { code: 1, out: "", err: expect.stringMatching(`^error: the job ${job} ${why}\n {2}next: run one of check, [^\n]*\n$`) },
    ]);
  // Every job of the description either runs here or is among these.
  const runs = /one of (.*)\n/.exec(ciLocal("").err)?.[1]?.split(", ") ?? [];
  expect([...runs, ...Object.keys(refused)].filter((job) => JOBS.some(({ name }) => name === job)).sort()).toEqual(JOBS.map(({ name }) => name).sort());
  expect(ciLocal("no-such-job")).toMatchObject({ code: 1, err: expect.stringMatching(/there is no job no-such-job\n {2}next: use one of check/) });
  expect(ciLocal("")).toMatchObject({ code: 2, err: expect.stringContaining("usage: make ci-local JOB=<name>, one of check, ") });
});
