/** The pipelines of both hosts are generated from the description, valid by each host's schema, and follow our rules. Each rule is shown to fail. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { validateWorkflow } from "@action-validator/core";
import { parse } from "yaml";
import { renderAll } from "../../pipelines/files";
import { imagesPipeline } from "../../pipelines/gitlab-images";
import { upPipeline } from "../../pipelines/gitlab-up";
import { JOBS } from "../../pipelines/jobs";
import { githubProblems, gitlabProblems } from "./rules";

const ROOT = path.join(__dirname, "..", "..");
const WORKFLOWS = path.join(ROOT, ".github", "workflows");
const workflows = fs.readdirSync(WORKFLOWS).map((file) => [file, fs.readFileSync(path.join(WORKFLOWS, file), "utf8")] as const);
const textOf = (file: string): string => fs.readFileSync(path.join(WORKFLOWS, file), "utf8");

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pipelines-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

test("what is in the checkout is what the description makes, with no file beside", () => {
  const made = renderAll();
  for (const [file, text] of Object.entries(made)) expect(fs.readFileSync(path.join(ROOT, file), "utf8")).toBe(text);
  expect(workflows.map(([file]) => `.github/workflows/${file}`).sort()).toEqual(
    Object.keys(made)
      .filter((file) => file.startsWith(".github/"))
      .sort(),
  );
});

test("each job of the description is on both hosts, but for those of one host alone", () => {
  const titles = workflows.flatMap(([, text]) => Object.values((parse(text) as { jobs: Record<string, { name: string }> }).jobs).map(({ name }) => name));
  const onGitlab = parse(fs.readFileSync(path.join(ROOT, ".gitlab-ci.yml"), "utf8")) as object;
  for (const { name, title, only } of JOBS) expect([name, titles.includes(title), name in onGitlab]).toEqual([name, only !== "gitlab", only !== "github"]);
});

/** The schema in this package does not know the permission `attestations` yet. actionlint and the newer schema of the real tests do. */
const schemaErrors = (text: string): unknown[] => validateWorkflow(text.replace(/^ +attestations: write\n/m, "")).errors;

test.each(workflows)("%s is valid by GitHub's schema and within the rules", (file, text) => {
  expect(schemaErrors(text)).toEqual([]);
  expect(githubProblems(file, text)).toEqual([]);
});

test("an application goes on only from tests that passed, back only where they failed, and to production only by its stage's environment", () => {
  interface Call {
    needs?: string[];
    if?: string;
    uses: string;
    with: Record<string, unknown>;
  }
  const { jobs } = parse(textOf("application.yml")) as { jobs: Record<string, Call> };
  const steps = Object.entries(jobs).map(([name, { needs, if: condition, uses, with: inputs }]) => [
    name,
    needs?.join() ?? "",
    path.basename(uses, ".yml"),
    ...(condition === undefined ? [] : [condition]),
    ...["stage", "from", "image", "back"].flatMap((key) => (inputs[key] === undefined ? [] : [`${key}=${String(inputs[key])}`])),
  ]);
  const stage = (name: string, before: string, source: string) => {
    const [wait, tests] = [`${name}-delivered`, `${name}-tests`];
    return [
      [name, before, "deploy", `stage=${name}`, source],
      [wait, name, "delivered", `stage=${name}`],
      [tests, wait, "cypress"],
      // Not where the promotion itself failed: going back would then remove the previous image.
      [
        `${name}-back`,
        `${wait},${tests}`,
        "deploy",
        `failure() && (needs.${wait}.result == 'failure' || needs.${tests}.result == 'failure')`,
        `stage=${name}`,
        "back=true",
      ],
    ];
  };
  const image = "image=${{ inputs.registry }}/${{ inputs.project }}/${{ inputs.app-name }}@${{ needs.build.outputs.digest }}";
  expect(steps).toEqual([
    ["build", "", "build-and-push"],
    ...stage("dev", "build", image),
    ...stage("stg", "dev-tests", "from=dev"),
    ...stage("prod", "stg-tests", "from=stg"),
    ["version", "build,prod-tests", "version"],
  ]);
  // A called workflow declares each input that it is given, and is given each input that it requires.
  for (const [name, { uses, with: given }] of Object.entries(jobs)) {
    const called = parse(textOf(path.basename(uses))) as { on: { workflow_call: { inputs: Record<string, { required?: boolean }> } } };
    const known = Object.entries(called.on.workflow_call.inputs);
    const required = known.flatMap(([key, input]) => (input.required === true ? [key] : []));
    expect([name, Object.keys(given).filter((key) => !known.some(([input]) => input === key)), required.filter((key) => given[key] === undefined)]).toEqual([
      name,
      [],
      [],
    ]);
  }
  expect((parse(textOf("deploy.yml")) as { jobs: { deploy: { environment: string } } }).jobs.deploy.environment).toBe("${{ inputs.stage }}");
});

test("GitHub's schema refuses what is misspelt or of another kind", () => {
  const text = textOf("checks.yml");
  for (const [from, to] of [
    ["runs-on:", "run-on:"],
    ["timeout-minutes: 20", "timeout-minutes: [20]"],
    ["    steps:", "    stepz:"],
    ["  pull_request:", "  pull_requests:"],
  ] as const) {
    expect(text).toContain(from);
    expect(schemaErrors(text.replace(from, to))).not.toEqual([]);
  }
});

/** A rule, a change of a file that breaks it, and the message of the rule. */
const MUTATIONS: [rule: string, file: string, from: RegExp, to: string, said: RegExp][] = [
  ["an action by tag", "checks.yml", /uses: actions\/checkout@\S+ # \S+/, "uses: actions/checkout@v7", /not pinned by commit/],
  ["a commit without its version", "checks.yml", /(uses: actions\/checkout@\S+) # \S+/, "$1", /not pinned by commit/],
  ["another version beside a commit", "checks.yml", /(uses: actions\/checkout@\S+) # \S+/, "$1 # v1.2.3", /not the pin/],
  ["another commit", "checks.yml", /checkout@[0-9a-f]{40}/, `checkout@${"0".repeat(40)}`, /not the pin/],
  ["an input that the action does not have", "checks.yml", /persist-credentials: false/, "persist-credential: false", /has no input persist-credential/],
  ["the token left in the checkout", "checks.yml", /persist-credentials: false/, "persist-credentials: true", /token stays/],
  ["a cache of packages in a change's run", "checks.yml", /package-manager-cache: false/, "cache: npm", /a cache that changes write/],
  ["permissions of the whole workflow", "checks.yml", /^permissions: \{\}/m, "permissions: { contents: read }", /workflow itself has permissions/],
  ["permissions left to the default", "checks.yml", /^permissions: \{\}\n/m, "", /leaves them to the default/],
  ["a job without permissions", "checks.yml", /^ {4}permissions:\n {6}contents: read\n/m, "", /no permissions of its own/],
  ["a right that the job does not need", "checks.yml", /contents: read/, "contents: write", /may write contents/],
  ["no timeout", "checks.yml", /^ {4}timeout-minutes: 20\n/m, "", /no timeout/],
  ["no group", "checks.yml", /^concurrency:\n.*\n.*\n/m, "", /no concurrency group/],
  ["a runner that moves", "checks.yml", /ubuntu-24\.04/, "ubuntu-latest", /no runner by its own label/],
  [
    "a title in a command",
    "checks.yml",
    /run: npm run commits/,
    `run: npm run commits "\${{ github.event.pull_request.title }}"`,
    /becomes part of the script/,
  ],
  ["two commands in a step", "checks.yml", /run: npm run lint/, "run: npm run lint && npm test", /operator of the shell/],
  ["a command of a command", "checks.yml", /run: npm run lint/, 'run: npm run "$(cat name)"', /only \$NAME is expanded/],
  ["a failure that is passed over", "checks.yml", /run: npm run lint/, "run: npm run lint || true", /operator of the shell/],
  ["pull_request_target", "preview.yml", /pull_request:/, "pull_request_target:", /runs with the base's rights/],
  ["the fork's code beside the token", "comment.yml", /(persist-credentials: false)/, "$1\n          ref: abc", /checks out what the change names/],
  ["a cache that a change writes", "preview.yml", /actions\/cache\/restore/, "actions/cache/save", /a change writes a cache/],
  ["a secret in a change's run", "preview.yml", /HOMELAB_LAB_DIR: .*/, "KEY: ${{ secrets.SOPS_AGE_KEY }}", /is given a secret/],
  [
    "a right to write beside the homelab's secrets",
    "up.yml",
    /permissions:\n {6}contents: read/,
    "permissions:\n      issues: write",
    /secrets beside a right to write/,
  ],
  ["what an earlier run left on our runner", "drift.yml", /- run: make clean-reports\n/, "- run: make bin/.built\n", /earlier run left is not removed/],
  [
    "a secret for the tests of a stage",
    "application.yml",
    /uses: \.\/\.github\/workflows\/cypress\.yml/,
    "$&\n    secrets: { key: '${{ secrets.homelab-token }}' }",
    /reads a secret/,
  ],
  ["a right to write for a promotion", "deploy.yml", /contents: read/, "contents: write", /may write contents/],
  ["an input in a command", "deploy.yml", /run: npm run deploy/, "run: npm run deploy ${{ inputs.image }}", /becomes part of the script/],
  [
    "a called workflow of somebody else by branch",
    "application.yml",
    /uses: \.\/\.github\/workflows\/deploy\.yml/,
    "uses: a/b/.github/workflows/deploy.yml@main",
    /not pinned by commit/,
  ],
  ["a secret where none is needed", "nightly.yml", /run: make nightly/, "env:\n          KEY: ${{ secrets.KEY }}\n        run: make nightly", /reads a secret/],
];

test.each(MUTATIONS)("the rules see %s", (_, file, from, to, said) => {
  const text = textOf(file);
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  expect(githubProblems(file, changed)).toContainEqual(expect.stringMatching(said));
});

/** Checks a repository with GitLab's pipeline after `edit`. With `own`, it is an application's repository with that file. */
function gitlab(edit: (file: string, text: string) => string = (_, text) => text, own?: string) {
  const folder = fs.mkdtempSync(path.join(dir, "gitlab-"));
  for (const file of [".gitlab-ci.yml", ".gitlab/ci-templates.yml", ".gitlab/application.yml"]) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), edit(file, fs.readFileSync(path.join(ROOT, file), "utf8")));
  }
  if (own !== undefined) fs.writeFileSync(path.join(folder, ".gitlab-ci.yml"), own);
  const git = (...args: string[]) => spawnSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: folder });
  git("init", "-q", "-b", "main");
  git("remote", "add", "origin", "https://gitlab.invalid/group/homelab.git");
  git("add", "-A");
  git("commit", "-q", "-m", "pipeline");
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(__dirname, "gitlab-view.mjs")], { cwd: folder, encoding: "utf8" });
  // gitlab-ci-local does not follow a trigger into another project, and warns of that before its output.
  return { status, stdout: stdout.replaceAll(/^.*WARN.*will be no-op.*\n/gm, ""), stderr };
}

test("GitLab's file is valid by GitLab's schema with every include and extends resolved, and within the rules", () => {
  const { status, stdout, stderr } = gitlab();
  expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  const jobs = parse(stdout) as Record<string, { image?: unknown; script?: string[] }>;
  expect(jobs["check"]?.script?.[0]).toBe("make bin/.built");
  // The image and the script come from the included template, by `extends`.
  expect(JSON.stringify([jobs["check"]?.image, jobs["trivy"]?.script])).toMatch(/node:20[^\]]*trivy config/);
  expect(gitlabProblems(jobs)).toEqual([]);
});

test.each([true, false])("the pipeline of the images that a run concerns is valid by GitLab's schema, pushed or not: %s", (push) => {
  const images = ["one", "two"].map((name) => ({
    name,
    context: `images/${name}`,
    dockerfile: `images/${name}/Dockerfile`,
    arguments: { TOOLS: 'a\n"b" $c' },
  }));
  for (const listed of [images, []]) {
    const { status, stdout, stderr } = gitlab(undefined, imagesPipeline(listed, { push, version: "1.2.0" }));
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  }
});

test.each([true, false])(
  "the pipeline that a plan leaves is valid by GitLab's schema and within the rules, whether something changes or not: %s",
  (changed) => {
    const { status, stdout, stderr } = gitlab(undefined, upPipeline({ changed, pipeline: "12" }));
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    const jobs = parse(stdout) as Record<string, { when?: string; rules?: { when?: string }[] }>;
    expect(gitlabProblems(jobs)).toEqual([]);
    // Where nothing changes nobody is asked, and no job sees the environment with the homelab's secrets.
    const { stages, workflow, ...own } = jobs;
    expect(Object.keys(own)).toEqual([changed ? "up" : "nothing-to-change"]);
    expect([stdout.includes("when: manual"), stdout.includes("name: prod")]).toEqual([changed, changed]);
  },
);

const APPLICATION = `include:
  - local: /.gitlab/application.yml
variables: { APP_NAME: writer, APP_CONTEXT: ., HOMELAB_PROJECT: group/homelab, CYPRESS_DIR: e2e }
`;

test("an application's flow on GitLab is valid too, and goes on, back and to production as that of GitHub does", () => {
  const { status, stdout, stderr } = gitlab(undefined, APPLICATION);
  expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  interface FlowJob {
    needs?: (string | { job: string })[];
    rules?: { when?: string }[];
    trigger?: { project: string; strategy: string };
    script?: string[];
    variables?: Record<string, string>;
  }
  const { stages, workflow, variables, include, ...jobs } = parse(stdout) as Record<string, FlowJob>;
  const flow = Object.entries(jobs)
    .filter(([name]) => !name.startsWith("."))
    .map(([name, { needs = [], rules = [], trigger, variables: own = {} }]) => [
      name,
      needs.map((need) => (typeof need === "string" ? need : need.job)).join(),
      ...(trigger === undefined ? [] : [`${trigger.project} ${trigger.strategy}`]),
      ...rules.flatMap(({ when }) => (when === undefined || when === "on_success" ? [] : [when])),
      ...["DEPLOY_TO", "DELIVERED_TO", "STAGE", "DEPLOY_FROM", "DEPLOY_IMAGE", "DEPLOY_BACK"].flatMap((key) =>
        [undefined, "", "false"].includes(own[key]) ? [] : [`${key}=${own[key]}`],
      ),
    ]);
  const homelab = "$HOMELAB_PROJECT depend";
  const stage = (name: string, before: string, source: string) => [
    [name, before, homelab, "DEPLOY_TO=$STAGE", `STAGE=${name}`, source],
    [`${name}-delivered`, name, homelab, "DELIVERED_TO=$STAGE", `STAGE=${name}`],
    [`${name}-tests`, `${name}-delivered`],
    [`${name}-back`, `${name}-delivered,${name}-tests`, homelab, "on_failure", "DEPLOY_TO=$STAGE", `STAGE=${name}`, "DEPLOY_BACK=true"],
  ];
  expect(flow).toEqual([
    ["build", ""],
    ["scan", "build"],
    ...stage("dev", "scan,build", "DEPLOY_IMAGE=$CI_REGISTRY_IMAGE/$APP_NAME@$IMAGE_DIGEST"),
    ...stage("stg", "dev-tests", "DEPLOY_FROM=dev"),
    ...stage("prod", "stg-tests", "DEPLOY_FROM=stg"),
    ["version", "prod-tests"],
    ["version-of-image", "build,version"],
  ]);
  expect(jobs["version"]?.script?.at(-1)).toContain("--tag-only --push");
});

test.each([
  ["a key that GitLab does not have", /^ {2}timeout: 20 minutes$/m, "  time_out: 20 minutes", /time_out/],
  ["a template that is not there", /extends: \.node/, "extends: .nodes", /\.nodes/],
  ["an include that is not there", /local: \/\.gitlab\/ci-templates\.yml/, "local: /.gitlab/templates.yml", /templates\.yml/],
] as const)("GitLab's check sees %s", (_, from, to, said) => {
  const { status, stdout, stderr } = gitlab((file, text) => {
    if (file !== ".gitlab-ci.yml") return text;
    expect(text).toMatch(from);
    return text.replace(from, to);
  });
  expect(status).not.toBe(0);
  expect(stdout + stderr).toMatch(said);
});

let resolved: Record<string, object> | undefined;
/** The jobs of main's pipeline, and those of its child that waits for the approval, as `child:<name>`. */
function resolvedJobs(): Record<string, object> {
  const own = parse(gitlab().stdout) as Record<string, object>;
  const { up } = parse(gitlab(undefined, upPipeline({ changed: true, pipeline: "12" })).stdout) as Record<string, object>;
  return { ...own, ...(up === undefined ? {} : { "child:up": up }) };
}

test.each([
  ["no timeout", "check", { timeout: undefined }, /no timeout/],
  ["an image that moves", "check", { image: "node:latest" }, /without a version/],
  ["a job that runs on everything", "check", { rules: [] }, /runs on everything/],
  ["an up that starts by itself", "child:up", { rules: [{ if: "a" }] }, /starts without a manual action/],
  ["an up that the pipeline does not wait for", "child:up", { rules: [{ if: "a", when: "manual" }] }, /does not wait for it/],
  [
    "a failure of up that the pipeline does not have",
    "up",
    { trigger: { include: [{ artifact: "plan/pipeline.yml", job: "plan" }] } },
    /does not fail the pipeline/,
  ],
  ["an up of another job's file", "up", { trigger: { include: [{ artifact: "plan/pipeline.yml", job: "check" }], strategy: "depend" } }, /without the plan/],
  ["a failure that passes", "check", { rules: [{ if: "a", allow_failure: true }] }, /its failure does not fail the pipeline/],
  ["a check that waits for a manual start", "check", { rules: [{ if: "a", when: "manual" }] }, /waits for a manual start/],
  ["an up that a newer pipeline cuts", "child:up", { interruptible: true }, /may be cut/],
  ["an up without a plan", "child:up", { needs: [] }, /without the plan that was reviewed/],
  ["an up with the plan of another pipeline", "child:up", { needs: [{ job: "plan" }] }, /without the plan that was reviewed/],
  ["a drift without a runner", "drift", { rules: [{ if: "a" }] }, /without asking whether there is one/],
  ["a shell's operator", "check", { script: ["make test; make lint"] }, /operator of the shell/],
] as const)("the rules see %s on GitLab", (_, name, change, said) => {
  resolved ??= resolvedJobs();
  const own = name.replace("child:", "");
  const jobs = { [own]: { ...resolved[name], ...change } };
  expect(gitlabProblems({ [own]: resolved[name] })).toEqual([]);
  expect(gitlabProblems(jobs)).toContainEqual(expect.stringMatching(said));
});
