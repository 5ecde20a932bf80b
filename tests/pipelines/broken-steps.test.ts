/**
 * A failure of any command of any job ends the job, and no later command runs. Where a job reports failures, the last error message
 * reaches the comment or the issue. The commands run as in the hosts' shells, with stand-ins for the programs.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { splitCommand } from "../../pipelines/command-words";
import { renderAll } from "../../pipelines/files";
import { upPipeline } from "../../pipelines/gitlab-up";
import { HEAD, startWorld, type World } from "./comment-world";

const ROOT = path.join(__dirname, "..", "..");
let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "broken-steps-"));
  fs.mkdirSync(path.join(dir, "bin"));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

/** A program that records its calls. Call number FAIL_AT, or the call with the words FAIL, fails with a message. */
const STAND_IN = `#!/bin/sh
words="$(basename "$0") $*"
echo "$words" >>"$CALLS"
if [ "$words" = "\${FAIL:-none}" ] || [ "$(wc -l <"$CALLS")" = "\${FAIL_AT:-none}" ]; then echo "error: broken: $words" >&2; exit 7; fi
case "$words" in
  "npm ci"*) mkdir node_modules ;;
  *" preview --lab "*--report*) while [ $# -gt 1 ]; do shift; done; echo '{}' >"$1" ;;
esac
exit 0
`;

function standIns(...names: string[]): void {
  for (const name of names) fs.writeFileSync(path.join(dir, "bin", name), STAND_IN, { mode: 0o755 });
}

function run(shell: string[], env: Record<string, string>) {
  const calls = path.join(dir, "calls");
  fs.writeFileSync(calls, "");
  const [program = "", ...args] = shell;
  const { status, stderr } = spawnSync(program, args, {
    cwd: dir,
    encoding: "utf8",
    env: { PATH: `${path.join(dir, "bin")}:/usr/bin:/bin`, HOME: dir, CALLS: calls, ...env },
  });
  return { code: status, err: stderr, calls: fs.readFileSync(calls, "utf8").split("\n").slice(0, -1) };
}

interface Step {
  run?: string;
  uses?: string;
  if?: string;
  "continue-on-error"?: boolean;
}
interface HostJob {
  steps?: Step[];
  script?: string[];
  before_script?: string[];
}
interface Commands {
  where: string;
  host: "github" | "gitlab";
  commands: string[];
}
const files = Object.entries({ ...renderAll(), ".gitlab/child-of-plan.yml": upPipeline({ changed: true, pipeline: "1" }) });

/** The jobs of a file of either host, with their commands. */
function jobsOf(file: string, text: string): Commands[] {
  const isGithub = file.startsWith(".github/");
  const content = parse(text) as { jobs?: Record<string, HostJob> } & Record<string, unknown>;
  const jobs = isGithub ? (content.jobs ?? {}) : (content as Record<string, HostJob | null>);
  return Object.entries(jobs).map(([name, job]) => {
    const { steps = [], script, before_script: before = [] } = job ?? {};
    const own = steps.flatMap(({ run: command }) => (command === undefined ? [] : [command]));
    return {
      where: `${path.basename(file)}/${name}`,
      host: isGithub ? "github" : "gitlab",
      commands: isGithub ? own : Array.isArray(script) ? [...before, ...script] : [],
    };
  });
}
const withCommands = files.flatMap(([file, text]) => jobsOf(file, text)).filter(({ commands }) => commands.length > 0);

test.each(withCommands)("$where: each command in turn fails, the job fails, and no later one runs", ({ host, commands }) => {
  const programs = commands.map((command) => splitCommand(command).map((words) => words[0] ?? ""));
  standIns(...new Set(programs.flat().filter((name) => name !== "cd")));
  const variables = Object.fromEntries([...commands.join(" ").matchAll(/\$([A-Z_]+)/g)].map(([, name = ""]) => [name, dir]));
  // GitHub runs each step as a file by `bash -e`, and the first that fails ends the job. GitLab runs all lines as one script, with -eo pipefail.
  const scripts = host === "github" ? commands : [commands.join("\n")];
  const flags = host === "github" ? ["-e"] : ["-eo", "pipefail"];
  const shell = ["bash", "-c", scripts.map((_text, i) => `bash ${flags.join(" ")} ${path.join(dir, `${i}.sh`)}`).join(" && ")];
  for (const [i, text] of scripts.entries()) fs.writeFileSync(path.join(dir, `${i}.sh`), text);
  const whole = run(shell, variables);
  expect([whole.code, whole.calls.length]).toEqual([0, programs.flat().filter((name) => name !== "cd").length]);
  // When one side of a pipe fails, the other side still starts.
  const inPipe = programs.some((pipe) => pipe.length > 1) ? 1 : 0;
  for (const [i, call] of whole.calls.entries()) {
    const { code, calls } = run(shell, { ...variables, FAIL: call });
    expect([call, code, calls.length <= i + 1 + inPipe]).toEqual([call, 7, true]);
  }
});

test("there are jobs, and no step's failure is passed over but that of a download that may have nothing", () => {
  expect(withCommands.length).toBeGreaterThan(25);
  const steps = files.flatMap(([, text]) => Object.values((parse(text) as { jobs?: Record<string, HostJob> }).jobs ?? {}).flatMap((job) => job.steps ?? []));
  expect(new Set(steps.filter((step) => step["continue-on-error"] === true).map(({ uses }) => uses?.split("@")[0]))).toEqual(
    new Set(["actions/download-artifact"]),
  );
  const always = steps.filter((step) => step.if?.includes("always()") === true).map(({ uses, run: command }) => uses?.split("@")[0] ?? command);
  expect(new Set(always)).toEqual(new Set(["actions/upload-artifact", "github/codeql-action/upload-sarif"]));
});

describe("what a preview or a look at the drift says last", () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
    Object.assign(process.env, { GITHUB_SHA: HEAD, GITHUB_SERVER_URL: "https://github.com", GITHUB_RUN_ID: "11" });
  });
  afterEach(() => world.close());

  /** Words of each step of preview.sh, in order: first the steps for the base, then those for the head. */
  const STEPS = ["npm ci", "lab start --latency", "up --lab", "lab stop", "npm ci", "lab start", "preview --lab"].map((words, i): [string, number] => [
    words,
    i + 1,
  ]);

  const preview = (env: Record<string, string>) => {
    for (const name of ["base", "head"]) fs.mkdirSync(path.join(dir, name), { recursive: true });
    standIns("npm", "node");
    return run(["sh", path.join(ROOT, "pipelines/preview.sh"), "base", path.join(dir, "head"), path.join(dir, "out")], {
      HOMELAB_LAB_DIR: path.join(dir, "lab"),
      HOMELAB_LAB_FLAGS: "--latency zero",
      ...env,
    });
  };
  const comment = async (): Promise<string> => {
    const { code, err } = await world.comment("--github", "--report", path.join(dir, "out/report.json"), "--failure", path.join(dir, "out/failure.txt"));
    expect([code, err]).toEqual([0, ""]);
    return world.hosts.github.pulls[0]?.comments[0]?.body ?? "";
  };

  test("a whole preview runs every step, and leaves a report and no last word", () => {
    const { code, calls } = preview({});
    const homelab = "node orchestrator/bin/homelab";
    expect([code, calls.map((call) => call.replace(/--report \S+$/, "--report FILE"))]).toEqual([
      0,
      [
        "npm ci --include=dev --no-audit --no-fund --loglevel=error",
        `${homelab} lab start --latency zero`,
        `${homelab} up --lab --plain`,
        `${homelab} lab stop`,
        "npm ci --include=dev --no-audit --no-fund --loglevel=error",
        `${homelab} lab start`,
        `${homelab} preview --lab --plain --report FILE`,
        `${homelab} lab stop`,
      ],
    ]);
    expect(fs.readdirSync(path.join(dir, "out"))).toEqual(["report.json"]);
  });

  test.each(STEPS)(
    "%s (step %i) fails: the preview's job fails, nothing but the lab's stop comes after it, and the comment says what it said",
    async (words, at) => {
      const { code, calls } = preview({ FAIL_AT: String(at) });
      expect([code, calls.slice(at).filter((call) => !call.endsWith("lab stop"))]).toEqual([7, []]);
      expect(fs.readdirSync(path.join(dir, "out"))).toEqual(["failure.txt"]);
      expect(await comment()).toMatch(new RegExp(`## The preview failed\n\nIt ended before the first stack\\.\n\n\`\`\`\nerror: broken: [^\n]*${words}`));
    },
  );

  /** The last preview's command line, for a head that adds this file to the base. */
  const chosen = (file: string, content: string, isOther = false): { words: string[]; base: string; err: string } => {
    const git = (folder: string, ...args: string[]): string =>
      spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: path.join(dir, folder), encoding: "utf8" }).stdout.trim();
    for (const folder of ["base", "head"]) fs.rmSync(path.join(dir, folder), { recursive: true, force: true });
    fs.mkdirSync(path.join(dir, "base/engine"), { recursive: true });
    fs.writeFileSync(path.join(dir, "base/engine/main.ts"), "of the base");
    git("base", "init", "-q");
    git("base", "add", "-A");
    git("base", "commit", "-q", "-m", "base");
    if (isOther) {
      fs.mkdirSync(path.join(dir, "head"));
      git("head", "init", "-q");
    } else git(".", "clone", "-q", "base", "head");
    fs.mkdirSync(path.dirname(path.join(dir, "head", file)), { recursive: true });
    fs.writeFileSync(path.join(dir, "head", file), content);
    const { err, calls } = preview({});
    const call = calls.find((one) => one.includes(" preview --lab")) ?? "";
    return { words: (/--plain (.*?) ?--report/.exec(call)?.[1] ?? "none").split(" "), base: git("base", "rev-parse", "HEAD"), err };
  };

  test("the stacks that a change concerns are previewed; all of them where the engine differs, or the head is of another history", () => {
    const { words, base, err } = chosen("site/site.ts", "other");
    expect([words, err]).toEqual([["--affected", base], ""]);
    expect(chosen("engine/main.ts", "other")).toMatchObject({
      words: [""],
      err: expect.stringContaining("note: the engine, the providers or the packages differ"),
    });
    expect(chosen("site/site.ts", "other", true)).toMatchObject({ words: [""], err: expect.stringContaining("does not have the base's commit") });
  });

  test("the report of an earlier preview is not taken for that of one that ends before its own", () => {
    preview({});
    fs.writeFileSync(path.join(dir, "out/failure.txt"), "of the run before");
    const { code } = preview({ FAIL_AT: "1", HOMELAB_LAB_DIR: path.join(dir, "other-lab") });
    expect([code, fs.readdirSync(path.join(dir, "out"))]).toEqual([7, ["failure.txt"]]);
    expect(fs.readFileSync(path.join(dir, "out/failure.txt"), "utf8")).not.toContain("of the run before");
  });

  test("a lab whose base could not be built is not taken by the next run", () => {
    preview({ FAIL_AT: "3" });
    expect(fs.existsSync(path.join(dir, "lab/built-from"))).toBe(false);
    expect(preview({}).calls.filter((call) => call.includes(" up --lab"))).toHaveLength(1);
  });

  const attempt = (env: Record<string, string>) => {
    standIns("homelab");
    return run(["sh", path.join(ROOT, "pipelines/attempt.sh"), path.join(dir, "drift/failure.txt"), "homelab", "drift", "--report", "drift/drift.json"], env);
  };

  test("a look at the drift that fails leaves its last word, which the issue says; one that does not leaves none", async () => {
    const { code, err } = attempt({ FAIL_AT: "1" });
    expect([code, err]).toEqual([7, "error: broken: homelab drift --report drift/drift.json\n"]);
    const file = path.join(dir, "drift/failure.txt");
    expect(await world.homelab("issue", "--github", "--drift", path.join(dir, "drift/drift.json"), "--failure", file)).toMatchObject({ code: 0 });
    expect(world.hosts.github.issues).toEqual([
      expect.objectContaining({ title: "Drift: nothing could be looked at", body: expect.stringContaining("error: broken: homelab drift") }),
    ]);
    expect(attempt({})).toMatchObject({ code: 0, calls: ["homelab drift --report drift/drift.json"] });
    expect(fs.existsSync(file)).toBe(false);
  });
});

test("the targets of make that the jobs call fail with what they call, and remove what an earlier run left", () => {
  for (const file of ["Makefile", "pipelines/attempt.sh", "pipelines/preview.sh", "pipelines/validate.sh", "package.json", "package-lock.json"])
    fs.cpSync(path.join(ROOT, file), path.join(dir, file));
  for (const folder of ["node_modules", "base", "head", "drift", "plan", "gitops/dev", "gitops/stg"]) fs.mkdirSync(path.join(dir, folder), { recursive: true });
  fs.writeFileSync(path.join(dir, "node_modules/.package-lock.json"), "");
  fs.writeFileSync(path.join(dir, "drift/drift.json"), "of the run before");
  standIns("node", "npm");
  const make = (target: string, fail = "none") =>
    run(["make", "--no-print-directory", ...target.split(" ")], { FAIL: fail, HOMELAB_LAB_DIR: path.join(dir, "lab"), HOMELAB_LAB_FLAGS: "--latency zero" });
  expect([make("clean-reports").code, fs.existsSync(path.join(dir, "drift")), fs.existsSync(path.join(dir, "plan"))]).toEqual([0, false, false]);
  const homelab = "node orchestrator/bin/homelab";
  for (const [target, call] of [
    ["drift-report", `${homelab} drift --names-only --report drift/drift.json`],
    ["preview-change BASE=base HEAD=head OUT=out", `${homelab} up --lab --plain`],
    ["lab-of-base BASE=base", `${homelab} lab start --latency zero`],
    ["validate", `${homelab} render dev --check`],
    ["validate", `${homelab} render stg --check`],
    ["bin/.built", "node build/build.cjs"],
  ] as const) {
    const { code, calls } = make(target, call);
    expect([target, code, calls.includes(call)]).toEqual([target, 2, true]);
  }
  expect(fs.readFileSync(path.join(dir, "drift/failure.txt"), "utf8")).toContain("error: broken");
  expect(make("drift-report").code).toBe(0);
  // Values leave the runner only with DRIFT_VALUES=true.
  for (const words of ["", " DRIFT_VALUES=", " DRIFT_VALUES=false"])
    expect(make(`drift-report${words}`).calls).toContain(`${homelab} drift --names-only --report drift/drift.json`);
  expect(make("drift-report DRIFT_VALUES=true").calls).toContain(`${homelab} drift --report drift/drift.json`);
  // A stack that differs does not keep the next one from being checked.
  expect(make("validate", `${homelab} render dev --check`).calls).toContain(`${homelab} render stg --check`);
});

describe("whether up has to be approved", () => {
  const pipeline = (): string => path.join(dir, "plan/pipeline.yml");
  const outputs = (content: unknown, ...more: string[]) => outputsIn({}, content, ...more);
  const outputsIn = (variables: Record<string, string>, content: unknown, ...more: string[]) => {
    fs.writeFileSync(path.join(dir, "report.json"), typeof content === "string" ? content : JSON.stringify(content));
    const env = { PATH: process.env["PATH"] ?? "", GITHUB_OUTPUT: path.join(dir, "outputs"), ...variables };
    fs.writeFileSync(env.GITHUB_OUTPUT, "a=b\n");
    const args = [path.join(ROOT, "bin/pipelines/plan-outputs.main.js"), path.join(dir, "report.json"), ...more];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    return { code: status, out: stdout, err: stderr, said: fs.readFileSync(env.GITHUB_OUTPUT, "utf8") };
  };

  test.each([true, false])("a whole preview says whether something changes: %s", (changed) => {
    expect(outputs({ version: 1, operation: "preview", ok: true, changed })).toEqual({
      code: 0,
      out: `changed=${changed}\n`,
      err: "",
      said: `a=b\nchanged=${changed}\n`,
    });
  });

  test.each([true, false])("GitLab gets the pipeline of the approval, with the plan of its own: %s", (changed) => {
    const report = { version: 1, operation: "preview", ok: true, changed };
    expect(outputsIn({ CI_PIPELINE_ID: "4711" }, report, "--pipeline", pipeline())).toMatchObject({ code: 0, err: "" });
    expect(fs.readFileSync(pipeline(), "utf8")).toBe(upPipeline({ changed, pipeline: "4711" }));
  });

  test.each([
    ["no pipeline of GitLab's", {}, ["--pipeline"], 2, /^usage: /],
    ["outside of GitLab", {}, ["--pipeline", "FILE"], 1, /CI_PIPELINE_ID is not the number of a pipeline/],
    ["a number that is none", { CI_PIPELINE_ID: "1\n  x: y" }, ["--pipeline", "FILE"], 1, /CI_PIPELINE_ID is not the number of a pipeline/],
    ["another word", {}, ["--changed", "FILE"], 2, /^usage: /],
  ])("%s: no pipeline is written", (_, variables, words, code, said) => {
    const report = { version: 1, operation: "preview", ok: true, changed: false };
    const ended = outputsIn(variables as Record<string, string>, report, ...words.map((word) => (word === "FILE" ? pipeline() : word)));
    expect([ended.code, ended.err, fs.existsSync(pipeline())]).toEqual([code, expect.stringMatching(said), false]);
  });

  test("a preview that failed leaves GitLab no pipeline, so nothing is approved", () => {
    const ended = outputsIn({ CI_PIPELINE_ID: "1" }, { version: 1, operation: "preview", ok: false, changed: false }, "--pipeline", pipeline());
    expect([ended.code, fs.existsSync(pipeline())]).toEqual([1, false]);
  });

  test.each([
    ["a preview that failed", { version: 1, operation: "preview", ok: false, changed: true }],
    ["the report of another operation", { version: 1, operation: "up", ok: true, changed: true }],
    ["another version", { version: 2, operation: "preview", ok: true, changed: true }],
    ["no JSON", "changed=true"],
  ])("%s says nothing, and fails the job", (_, content) => {
    expect(outputs(content)).toEqual({ code: 1, out: "", err: expect.stringMatching(/^error: .*is no report of a whole preview/), said: "a=b\n" });
  });
});
