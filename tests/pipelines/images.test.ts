/** `npm run images`: which images a range of commits affects, on scratch repositories, with a stand-in for `homelab images list`. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { splitCommand } from "../../pipelines/command-words";
import { gitlabProblems } from "./rules";

const ROOT = path.join(__dirname, "..", "..");
/** Prints the list in the form of `homelab images list --json`. */
const STAND_IN = `const fs = require("node:fs");
if (process.argv.slice(2, 5).join(" ") !== "images list --json" || process.env.FAIL) process.exit(3);
const images = JSON.parse(fs.readFileSync("images/images.yaml", "utf8"));
for (const image of images) image.arguments.VERSION = process.argv[6];
process.stdout.write(JSON.stringify({ version: 1, images }));
`;
const image = (name: string, more: object = {}) => ({
  ...{ name, context: `images/${name}`, dockerfile: `images/${name}/Dockerfile`, arguments: { BASE: "a.example/b:1" }, unpinned: [] },
  ...more,
});
const TOOLS = 'kubectl https://x "1"\nhelm https://y 2';

let dir: string;
function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: dir, encoding: "utf8" });
  expect([args[0], status, stderr]).toEqual([args[0], 0, expect.anything()]);
  return stdout.trim();
}
function write(file: string, text: string): string {
  fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  fs.writeFileSync(path.join(dir, file), text);
  git("add", "-A");
  git("commit", "-q", "-m", `feat: ${file}`);
  return git("rev-parse", "HEAD");
}
function images(env: Record<string, string> = {}, ...words: string[]) {
  const outputs = path.join(dir, ".git", "outputs");
  fs.writeFileSync(outputs, "");
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, "bin/pipelines/images.main.js"), ...words], {
    cwd: dir,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], GITHUB_OUTPUT: outputs, ...env },
  });
  const said = Object.fromEntries(
    fs
      .readFileSync(outputs, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  ) as { images?: string; version?: string };
  const entries = said.images === undefined ? undefined : (JSON.parse(said.images) as { name: string; [key: string]: string }[]);
  return { code: status, out: stdout, err: stderr, entries, names: entries?.map(({ name }) => name), version: said.version };
}

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "images-"));
  git("init", "-q", "-b", "main");
  write("orchestrator/bin/homelab", STAND_IN);
  write("images/images.yaml", JSON.stringify([image("postgres"), image("runner", { arguments: { TOOLS } })]));
  git("tag", "-a", "v1.2.0", "-m", "x");
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

test("an image whose folder differs is built, with the arguments of the list and a version that no other commit has", () => {
  const base = git("rev-parse", "HEAD");
  expect(images({ IMAGES_BASE: base })).toMatchObject({ code: 0, names: [], version: "1.2.0", out: "no image is concerned\n" });
  write("images/runner/Dockerfile", "FROM scratch");
  write("docs/x.md", "x");
  const { code, entries, version, out } = images({ IMAGES_BASE: base });
  expect(version).toMatch(/^1\.2\.0-2-g[0-9a-f]{7,}$/);
  expect([code, out]).toEqual([0, `runner: version ${version}\n`]);
  expect(entries).toEqual([
    {
      name: "runner",
      context: "images/runner",
      dockerfile: "Dockerfile",
      arguments: `"TOOLS=kubectl https://x ""1""\nhelm https://y 2"\n"VERSION=${version}"`,
    },
  ]);
});

test("a file that moves from one image's folder to another's concerns both", () => {
  write("images/postgres/tools.sh", TOOLS.repeat(9));
  const base = git("rev-parse", "HEAD");
  fs.mkdirSync(path.join(dir, "images/runner"));
  git("mv", "images/postgres/tools.sh", "images/runner/tools.sh");
  git("commit", "-q", "-m", "feat: moved");
  expect(images({ IMAGES_BASE: base }).names).toEqual(["postgres", "runner"]);
});

test("the list itself, a branch that is new, and a commit that the clone does not have, are all images", () => {
  const base = git("rev-parse", "HEAD");
  write("images/images.yaml", JSON.stringify([image("postgres", { arguments: { BASE: "a.example/b:2" } }), image("runner")]));
  for (const from of [base, "", "0".repeat(40)]) expect([from, images({ IMAGES_BASE: from }).names]).toEqual([from, ["postgres", "runner"]]);
  expect(images({ IMAGES_BASE: "1".repeat(40) })).toMatchObject({ names: ["postgres", "runner"], err: expect.stringContaining("does not have 1111") });
});

test("a base without a digest fails what pushes, with what to do, and not what only tries", () => {
  write("images/images.yaml", JSON.stringify([image("postgres", { unpinned: ["a.example/b:1"] })]));
  expect(images()).toMatchObject({ code: 0, names: ["postgres"] });
  expect(images({}, "--pinned")).toMatchObject({
    code: 1,
    entries: undefined,
    err: expect.stringMatching(/postgres is built from a\.example\/b:1, without a digest\n {2}next: run `homelab images pin`/),
  });
});

test("of this homelab's own list, one image whose folder differs has the arguments that homelab images build gives", () => {
  const homelab = (...words: string[]) => spawnSync(process.execPath, [path.join(ROOT, "orchestrator/bin/homelab"), ...words], { encoding: "utf8" });
  const { stdout } = homelab("images", "list", "--json", "--version", "7.0.0");
  const { images: all } = JSON.parse(stdout) as { images: { name: string; arguments: Record<string, string> }[] };
  expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(["demo-web", "demo-worker", "github-runner", "postgres", "state-backup"]));
  expect(all.find(({ name }) => name === "demo-web")?.arguments).toMatchObject({ COMMAND: "./cmd/web", TITLE: "demo-web", VERSION: "7.0.0" });
  write("orchestrator/bin/homelab", `require(${JSON.stringify(path.join(ROOT, "orchestrator/bin/homelab"))});`);
  const base = git("rev-parse", "HEAD");
  write("images/demo/Dockerfile", "FROM scratch");
  const { entries, version } = images({ IMAGES_BASE: base });
  expect(entries?.map(({ name, context, dockerfile }) => [name, context, dockerfile])).toEqual([
    ["demo-web", "images/demo", "Dockerfile"],
    ["demo-worker", "images/demo", "Dockerfile"],
  ]);
  expect(entries?.[0]?.["arguments"]).toContain(`"VERSION=${version}"`);
  expect(homelab("images", "list", "--version", "1")).toMatchObject({ status: 2, stderr: expect.stringContaining("add --json") });
});

test("a base that is no commit, a list that fails, and other words are refused", () => {
  expect(images({ IMAGES_BASE: "main" })).toMatchObject({ code: 1, entries: undefined, err: expect.stringContaining("IMAGES_BASE is no commit: main") });
  expect(images({ FAIL: "1" })).toMatchObject({ code: 1, entries: undefined, err: expect.stringContaining("homelab images list could not be run") });
  expect(images({}, "--all")).toMatchObject({ code: 2, err: expect.stringMatching(/^usage: npm run images/) });
});

test("what commits on main concern goes through the workflow that signs; a change's run has no account, no right and no cache of others", () => {
  interface Workflow {
    on: object;
    concurrency: object;
    jobs: Record<string, { uses?: string; permissions: object; strategy?: object; with?: object; steps?: { uses?: string; with?: Record<string, unknown> }[] }>;
  }
  const read = (file: string) => parse(fs.readFileSync(path.join(ROOT, ".github/workflows", file), "utf8")) as Workflow;
  const [main, change] = [read("images.yml"), read("images-of-change.yml")];
  expect([Object.keys(main.on), main.jobs["image"]?.uses]).toEqual([["push", "workflow_dispatch"], "./.github/workflows/build-and-push.yml"]);
  // GitHub drops all but the newest waiting run of a group. Each run builds only its own push, so each commit has its own group.
  expect(main.concurrency).toEqual({ group: "images-${{ github.sha }}", "cancel-in-progress": false });
  const called = read("build-and-push.yml").on as { workflow_call: { inputs: Record<string, object> } };
  expect(Object.keys(main.jobs["image"]?.with ?? {}).filter((name) => called.workflow_call.inputs[name] === undefined)).toEqual([]);
  expect([Object.keys(change.on), ...Object.values(change.jobs).map(({ permissions }) => permissions)]).toEqual([
    ["pull_request"],
    { contents: "read" },
    { contents: "read" },
  ]);
  const steps = change.jobs["image"]?.steps ?? [];
  expect(steps.filter(({ uses }) => uses?.includes("login") === true)).toEqual([]);
  expect(steps.filter((step) => step.with?.["push"] !== undefined || step.with?.["cache-to"] !== undefined)).toEqual([]);
});

describe("on GitLab", () => {
  interface Child {
    jobs: Record<string, { script: string[]; variables: Record<string, string | { value: string; expand: boolean }>; environment?: object; rules: object[] }>;
    text: string;
  }
  /** The child pipeline that the job `images-list` writes for the job `images`. */
  function child(env: Record<string, string>) {
    const result = images(env, "--pipeline", "image-jobs/pipeline.yml");
    const file = path.join(dir, "image-jobs/pipeline.yml");
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    fs.rmSync(path.dirname(file), { recursive: true, force: true });
    const { workflow, variables, ...jobs } = (parse(text) ?? {}) as Record<string, unknown>;
    return { ...result, text, jobs: jobs as Child["jobs"] };
  }
  const MAIN = { CI_COMMIT_BRANCH: "main", CI_DEFAULT_BRANCH: "main" };
  /** The scanner's command line, the same for each image. */
  const scan = (name: string): string =>
    `docker run --rm --volume /var/run/docker.sock:/var/run/docker.sock aquasec/trivy:0.72.0 image --exit-code 1 --severity CRITICAL,HIGH --ignore-unfixed ${name}:scanned`;

  test("a change builds and scans the images that it concerns, and pushes none; it sees no account", () => {
    const base = git("rev-parse", "HEAD");
    write("images/runner/Dockerfile", "FROM scratch");
    const { code, jobs, text, version } = child({ CI_MERGE_REQUEST_DIFF_BASE_SHA: base, CI_COMMIT_BEFORE_SHA: "0".repeat(40), CI_DEFAULT_BRANCH: "main" });
    expect([code, Object.keys(jobs), gitlabProblems(jobs)]).toEqual([0, ["image-runner"], []]);
    const { script, variables, environment } = jobs["image-runner"] as Child["jobs"][string];
    expect(script).toEqual([
      "docker buildx create --use --driver docker-container",
      'docker buildx build --pull --load --tag runner:scanned --build-arg "TOOLS=$BUILD_TOOLS" --build-arg "VERSION=$BUILD_VERSION" --file images/runner/Dockerfile images/runner',
      scan("runner"),
    ]);
    // GitLab does not expand variables in the value, and the shell reads it as one word, with its lines and quotes.
    expect([variables["BUILD_TOOLS"], variables["BUILD_VERSION"], environment]).toEqual([
      { value: TOOLS, expand: false },
      { value: version, expand: false },
      undefined,
    ]);
    expect(text).not.toMatch(/REGISTRY_(USERNAME|PASSWORD)|--push/);
  });

  test("main pushes what it concerns after the scan, with the commit and the version as tags, SBOM and provenance", () => {
    const base = git("rev-parse", "HEAD");
    write("images/postgres/Dockerfile", "FROM scratch");
    const { jobs, version } = child({ ...MAIN, CI_COMMIT_BEFORE_SHA: base });
    const { script, environment } = jobs["image-postgres"] as Child["jobs"][string];
    expect([Object.keys(jobs), environment, gitlabProblems(jobs)]).toEqual([["image-postgres"], { name: "images", action: "access" }, []]);
    expect(script.slice(2)).toEqual([
      scan("postgres"),
      'printenv REGISTRY_PASSWORD | docker login --username "$REGISTRY_USERNAME" --password-stdin "$REGISTRY"',
      expect.stringMatching(/^docker buildx build --push --provenance=mode=max --sbom=true --build-arg "BASE=\$BUILD_BASE" /),
    ]);
    expect([...(script[4] ?? "").matchAll(/--tag "([^"]*)"/g)].map(([, tag]) => tag)).toEqual([
      "$REGISTRY/$REGISTRY_PROJECT/postgres:$CI_COMMIT_SHA",
      `$REGISTRY/$REGISTRY_PROJECT/postgres:${version}`,
    ]);
  });

  test("a change of no image leaves a pipeline with a job that says so, since GitLab takes none without", () => {
    const base = git("rev-parse", "HEAD");
    write("docs/x.md", "x");
    const { jobs, out } = child({ CI_MERGE_REQUEST_DIFF_BASE_SHA: base });
    expect([out, Object.values(jobs).map(({ script }) => script)]).toEqual(["no image is concerned\n", [["echo no image is concerned"]]]);
  });

  test("main refuses a base without a digest, and a change does not", () => {
    write("images/images.yaml", JSON.stringify([image("postgres", { unpinned: ["a.example/b:1"] })]));
    expect(child(MAIN)).toMatchObject({ code: 1, text: "", err: expect.stringContaining("without a digest") });
    expect(child({ CI_DEFAULT_BRANCH: "main" })).toMatchObject({ code: 0, names: ["postgres"] });
    expect(child({ ...MAIN, CI_COMMIT_BRANCH: "other" })).toMatchObject({ code: 0, names: ["postgres"] });
  });

  test.each([
    ["a name", { name: "x; curl evil" }],
    ["a folder", { context: "images/$(id)" }],
    ["a Dockerfile", { dockerfile: "--push" }],
    ["an argument", { arguments: { "A B": "1" } }],
  ])("%s that is more than a word is refused by name, and no pipeline is left", (_, more) => {
    write("images/images.yaml", JSON.stringify([image("postgres", more)]));
    const [word = ""] = Object.values(more).map((value) => (typeof value === "string" ? value : (Object.keys(value)[0] ?? "")));
    expect(child({})).toMatchObject({ code: 1, text: "", err: expect.stringContaining(`cannot stand in a pipeline: ${word}`) });
  });

  test("each command in turn fails, the job fails with it, and nothing is pushed that was not scanned", () => {
    write("images/images.yaml", JSON.stringify([image("postgres")]));
    const { script } = child(MAIN).jobs["image-postgres"] as Child["jobs"][string];
    const bin = path.join(dir, ".git", "bin");
    fs.mkdirSync(bin);
    const calls = path.join(dir, ".git", "calls");
    // It reads what it is given: otherwise the command that gives it could end by the broken pipe first.
    const reads = 'case "$*" in *--password-stdin*) cat >/dev/null ;; esac\n';
    fs.writeFileSync(path.join(bin, "docker"), `#!/bin/sh\n${reads}echo "$*" >>"$CALLS"\nif [ "$(wc -l <"$CALLS")" = "$FAIL_AT" ]; then exit 7; fi\n`, {
      mode: 0o755,
    });
    const run = (failAt: number) => {
      fs.writeFileSync(calls, "");
      const env = { PATH: `${bin}:/usr/bin:/bin`, CALLS: calls, FAIL_AT: String(failAt), REGISTRY_PASSWORD: "x" };
      const { status } = spawnSync("bash", ["-eo", "pipefail", "-c", script.join("\n")], { env });
      return [status, fs.readFileSync(calls, "utf8").split("\n").length - 1];
    };
    expect([0, 1, 2, 3, 4, 5].map(run)).toEqual([[0, 5], ...[1, 2, 3, 4, 5].map((at) => [7, at])]);
    expect(script.map((command) => splitCommand(command).length)).toEqual([1, 1, 1, 2, 1]);
  });

  test("the job that lists them and the one that runs them: where images differ, and of main where there is a registry; no release waits", () => {
    const file = parse(fs.readFileSync(path.join(ROOT, ".gitlab-ci.yml"), "utf8")) as Record<string, Record<string, unknown>> & { stages: string[] };
    const { "images-list": lister, images: runner } = file;
    expect([lister?.["rules"], lister?.["script"], lister?.["needs"]]).toEqual([
      runner?.["rules"],
      ["make bin/.built", "npm run images -- --pipeline image-jobs/pipeline.yml"],
      [],
    ]);
    const rules = lister?.["rules"] as { if: string; changes: string[] }[];
    expect(rules.map((rule) => [rule.if.includes("$REGISTRY"), rule.if.includes("merge_request_event"), rule.changes])).toEqual([
      [false, true, ["images/**/*"]],
      [true, false, ["images/**/*"]],
    ]);
    // With `depend`, a failed job of the child pipeline fails this pipeline.
    expect([runner?.["needs"], runner?.["trigger"]]).toEqual([
      ["images-list"],
      { include: [{ artifact: "image-jobs/pipeline.yml", job: "images-list" }], strategy: "depend" },
    ]);
    expect([file.stages.at(-1), lister?.["stage"], runner?.["stage"]]).toEqual(["images", "images", "images"]);
  });
});
