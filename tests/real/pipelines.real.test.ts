/** Checks the pipelines with other tools: zizmor and actionlint for GitHub, and the newest schemas of both hosts. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeReal } from "../support/real-parts";

const ROOT = path.join(__dirname, "..", "..");
const WORKFLOWS = fs.readdirSync(path.join(ROOT, ".github", "workflows")).map((file) => path.join(ROOT, ".github", "workflows", file));
let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pipelines-real-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: dir } });
  return { code: status, out: stdout + stderr };
}

/** Writes a copy of a workflow with a mistake in it. @returns its file */
function broken(file: string, from: RegExp, to: string): string {
  const text = fs.readFileSync(path.join(ROOT, ".github", "workflows", file), "utf8");
  expect(text).toMatch(from);
  // zizmor reads only folders with this name.
  const target = path.join(dir, ".github", "workflows", file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, text.replace(from, to));
  return target;
}

describeReal(["zizmor"], "zizmor", (pathOf) => {
  const zizmor = (...files: string[]) => run(pathOf("zizmor"), ["--offline", "--no-progress", "--config", path.join(ROOT, ".github", "zizmor.yml"), ...files]);

  test("finds nothing", () => {
    expect(zizmor(...WORKFLOWS)).toEqual({ code: 0, out: expect.stringMatching(/No findings to report/) });
  });

  test("finds an action by tag, a title in a command, and a trigger that gives a fork the base's rights", () => {
    for (const [from, to, said] of [
      [/checkout@[0-9a-f]{40} # \S+/, "checkout@v7", "unpinned-uses"],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's
      [/run: npm run commits/, "run: echo ${{ github.event.pull_request.title }}", "template-injection"],
      [/pull_request:/, "pull_request_target:", "dangerous-triggers"],
    ] as const) {
      const { code, out } = zizmor(broken("checks.yml", from, to));
      expect([code === 0, out]).toEqual([false, expect.stringContaining(said)]);
    }
  });
});

describeReal(["actionlint"], "actionlint", (pathOf) => {
  const actionlint = (...files: string[]) => run(pathOf("actionlint"), ["-no-color", "-shellcheck=", "-pyflakes=", ...files]);

  test("finds nothing", () => {
    expect(actionlint(...WORKFLOWS)).toEqual({ code: 0, out: "" });
  });

  test("finds a context that is not there, and an input that is not declared", () => {
    expect(actionlint(broken("checks.yml", /github\.event_name == 'pull_request'$/m, "github.events == 'x'"))).toMatchObject({
      code: 1,
      out: expect.stringContaining("events"),
    });
    expect(actionlint(broken("go-tests.yml", /inputs\.go-dir/, "inputs.go-folder"))).toMatchObject({ code: 1, out: expect.stringContaining("go-folder") });
  });
});

describeReal(["check-jsonschema"], "schemas of both hosts", (pathOf) => {
  const check = (schema: string, ...files: string[]) => run(pathOf("check-jsonschema"), ["--builtin-schema", `vendor.${schema}`, ...files]);

  test("every workflow, GitLab's file and its templates are valid", () => {
    expect(check("github-workflows", ...WORKFLOWS)).toMatchObject({ code: 0 });
    expect(run(pathOf("check-jsonschema"), ["--builtin-schema", "custom.github-workflows-require-timeout", ...WORKFLOWS])).toMatchObject({ code: 0 });
    const gitlab = [".gitlab-ci.yml", ".gitlab/ci-templates.yml", ".gitlab/application.yml"].map((file) => path.join(ROOT, file));
    expect(run(pathOf("check-jsonschema"), ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", ...gitlab])).toMatchObject({ code: 0 });
  });

  test("a key that no host has is found", () => {
    expect(check("github-workflows", broken("checks.yml", /timeout-minutes/, "time-out"))).toMatchObject({ code: 1, out: expect.stringContaining("time-out") });
  });
});
