/** The jobs that this repository has on both hosts. `make ci-local JOB=<name>` runs the commands of one. */
import { HomelabError } from "../common/errors";
import { type ActionStep, isRun, type Job, type Step } from "./model";

export const NODE_VERSION = 20;
/** Found again by name: what the preview leaves for the comment, `drift` for the issue, and the plan that `up` holds to. */
const PREVIEW = "preview";
const DRIFT = "drift";
const PLAN = "plan";
const INSTALL: Step = { run: "make bin/.built" };
/** On a runner of ours the folder is that of the run before. */
const CLEAN: Step = { run: "make clean-reports" };

const checkout = (more: ActionStep["with"] = {}): ActionStep => ({ uses: "actions/checkout", with: { "persist-credentials": false, ...more } });
/** Without a cache: what a fork's run wrote is read by no other. */
const node: ActionStep = { uses: "actions/setup-node", with: { "node-version": NODE_VERSION, "package-manager-cache": false } };

/** What a run on the real homelab needs; no token of Vault is among them: each stack's is in the state, encrypted. */
const HOMELAB_SECRETS = ["SOPS_AGE_KEY", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/** What runs on the homelab's own runner keeps `.homelab` there, which says what earlier runs left in doubt. */
const ON_OUR_RUNNER = [checkout({ clean: false }), node];

/** The lab in which main is built; a pull request reads it, and only a run of main writes it. */
const LAB = { path: "lab" };

/** The approval of the environment is what agrees to changes of production; it agrees to nothing that is lost. */
const UP = "npx --no-install homelab up --plain --plan plan/plan.json --yes --approve production --report up/report.json";

export const JOBS: readonly Job[] = [
  {
    name: "check",
    title: "Lint, types, import rules, dead code",
    on: ["change", "main"],
    timeoutMinutes: 20,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [
      INSTALL,
      { run: "npm run lint" },
      { run: "npm run typecheck" },
      { run: "npm run deps" },
      { run: "npm run knip" },
      { run: "npm run pipelines:check" },
    ],
  },
  {
    name: "validate",
    title: "The manifests in gitops/ are what the program renders, for each environment that has some",
    on: ["change", "main"],
    timeoutMinutes: 15,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [INSTALL, { run: "make validate" }],
  },
  {
    name: "images",
    title: "The images whose sources lie here can be built, by their list; nothing is pushed",
    on: ["change", "main"],
    timeoutMinutes: 20,
    permissions: { contents: "read" },
    runner: "hosted",
    // GitLab's hosted runners have no Docker without a service with all rights.
    only: "github",
    // Pinned or not: what would be pushed has to be (`homelab images pin`).
    steps: [INSTALL, ...["demo-web", "demo-worker"].map((name) => ({ run: `npx --no-install homelab images build ${name} --builder docker --unpinned` }))],
  },
  {
    name: "commits",
    title: "Conventional commits: each commit of the change, and its title",
    on: ["change"],
    timeoutMinutes: 10,
    permissions: { contents: "read" },
    runner: "hosted",
    depth: 0,
    steps: [INSTALL, { run: "npm run commits" }],
  },
  {
    name: "test",
    title: "The tests that need only Node, but for whole rehearsals",
    on: ["change", "main"],
    timeoutMinutes: 30,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [{ run: "make test" }],
  },
  {
    name: "rehearsals",
    title: "Whole rehearsals in a lab, which need only Node",
    on: ["change", "main"],
    timeoutMinutes: 45,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [{ run: "make test-rehearsals" }],
  },
  {
    name: PREVIEW,
    title: "What the change does to the homelab, shown in a lab in which the base is built",
    on: ["change"],
    timeoutMinutes: 30,
    permissions: { contents: "read" },
    runner: "hosted",
    env: { HOMELAB_LAB_DIR: "${{ github.workspace }}/lab" },
    artefacts: { name: PREVIEW, paths: ["preview/report.json", "preview/failure.txt"] },
    depth: 0,
    prepare: [
      checkout({ path: "base", ref: "${{ github.event.pull_request.base.sha }}" }),
      // With the base's commits: what the change concerns is compared with them.
      checkout({ path: "head", "fetch-depth": 0 }),
      node,
      { uses: "actions/cache/restore", with: { ...LAB, key: "lab-${{ github.event.pull_request.base.sha }}" } },
    ],
    // The base branch's own script: the head's would say of itself what it likes.
    steps: [{ run: { github: "make -C base preview-change BASE=. HEAD=../head OUT=../preview", gitlab: "make preview-change" } }],
  },
  {
    name: "lab-of-main",
    title: "Builds main in a lab and keeps it for the previews",
    on: ["main"],
    timeoutMinutes: 30,
    permissions: { contents: "read" },
    runner: "hosted",
    // GitLab keeps the caches of protected branches from all others.
    only: "github",
    env: { HOMELAB_LAB_DIR: "${{ github.workspace }}/lab" },
    prepare: [checkout({ path: "base" }), node],
    steps: [{ run: "make -C base lab-of-base BASE=." }, { uses: "actions/cache/save", with: { ...LAB, key: "lab-${{ github.sha }}" } }],
  },
  {
    name: "comment",
    title: "Says in one comment what the preview found",
    on: ["change"],
    timeoutMinutes: 10,
    permissions: { actions: "read", contents: "read", "pull-requests": "write" },
    runner: "hosted",
    // A token that may comment, for this job alone. GitLab's own job token may not.
    environment: { gitlab: "comment" },
    secrets: { github: ["GITHUB_TOKEN"], gitlab: ["GITLAB_TOKEN"] },
    outside: true,
    needs: [PREVIEW],
    always: true,
    prepare: [
      // Of a `workflow_run` this is the default branch.
      checkout(),
      node,
      // A run that ended early has none: the comment says so.
      {
        uses: "actions/download-artifact",
        with: { name: PREVIEW, path: PREVIEW, "run-id": "${{ github.event.workflow_run.id }}", "github-token": "${{ github.token }}" },
        continueOnError: true,
      },
    ],
    steps: [
      INSTALL,
      {
        run: {
          github: "npx --no-install homelab comment --github --report preview/report.json --failure preview/failure.txt",
          gitlab: "npx --no-install homelab comment --gitlab --report preview/report.json --failure preview/failure.txt",
        },
      },
    ],
  },
  {
    name: "nightly",
    title: "What is too long for every change: all versions of Node, long fuzz and canary runs",
    on: ["nightly", "by-hand"],
    timeoutMinutes: 350,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [{ run: "make nightly" }],
  },
  {
    name: "real-parts",
    title: "Tests against real programs, as many as the runner can have",
    on: ["nightly", "by-hand"],
    timeoutMinutes: 350,
    permissions: { contents: "read" },
    runner: "hosted",
    steps: [{ run: "make real-parts" }, { run: "make test-real" }],
  },
  {
    name: "release",
    title: "Version, changelog and tag from the commits since the last tag",
    on: ["main"],
    timeoutMinutes: 15,
    permissions: { contents: "write" },
    runner: "hosted",
    depth: 0,
    outside: true,
    environment: { github: "release", gitlab: "release" },
    secrets: { github: ["GITHUB_TOKEN"], gitlab: ["GITLAB_TOKEN"] },
    steps: [INSTALL, { run: "npm run release -- --push" }],
  },
  {
    name: "deploy",
    title: "Moves an application's image to a stage and pushes that to main, which delivers it",
    on: ["called"],
    timeoutMinutes: 30,
    permissions: { contents: "read" },
    runner: "hosted",
    depth: 0,
    outside: true,
    // One for each stage: who approves production is asked there.
    environment: { github: "${{ inputs.stage }}", gitlab: "deploy/$DEPLOY_TO" },
    secrets: { gitlab: ["GITLAB_TOKEN"] },
    // On GitLab the caller sets those of DEPLOY_… itself.
    env: {
      DEPLOY_APP: "${{ inputs.app-name }}",
      DEPLOY_TO: "${{ inputs.stage }}",
      DEPLOY_IMAGE: "${{ inputs.image }}",
      DEPLOY_FROM: "${{ inputs.from }}",
      DEPLOY_BACK: "${{ inputs.back }}",
      GITHUB_TOKEN: "${{ secrets.homelab-token }}",
    },
    prepare: [checkout({ repository: "${{ inputs.homelab }}", ref: "main", token: "${{ secrets.homelab-token }}", "fetch-depth": 0 }), node],
    steps: [INSTALL, { run: "npm run deploy" }],
  },
  {
    name: PLAN,
    title: "What main would change on the real homelab, for the approval of up",
    on: ["main"],
    timeoutMinutes: 60,
    permissions: { contents: "read" },
    runner: "homelab",
    environment: { github: PLAN, gitlab: PLAN },
    secrets: { github: HOMELAB_SECRETS, gitlab: HOMELAB_SECRETS },
    outside: true,
    prepare: ON_OUR_RUNNER,
    artefacts: { name: PLAN, paths: ["plan/plan.json", "plan/report.json", "plan/summary.md"] },
    steps: [
      CLEAN,
      INSTALL,
      { run: "npx --no-install homelab doctor" },
      {
        run: {
          github: 'npx --no-install homelab preview --plain --plan plan/plan.json --report plan/report.json --markdown "$GITHUB_STEP_SUMMARY"',
          gitlab: "npx --no-install homelab preview --plain --plan plan/plan.json --report plan/report.json --markdown plan/summary.md",
        },
      },
      { run: "npm run plan:outputs -- plan/report.json", id: PLAN },
    ],
  },
  {
    name: "up",
    title: "Does what the plan says, after an approval, or refuses where it would be something else now",
    on: ["by-hand"],
    timeoutMinutes: 120,
    permissions: { contents: "read" },
    runner: "homelab",
    environment: { github: "prod", gitlab: "prod" },
    secrets: { github: HOMELAB_SECRETS, gitlab: HOMELAB_SECRETS },
    outside: true,
    needs: [PLAN],
    prepare: [...ON_OUR_RUNNER, { uses: "actions/download-artifact", with: { name: PLAN, path: PLAN } }],
    artefacts: { name: "up", paths: ["up/report.json", "up/summary.md"] },
    steps: [
      { run: "make clean-reports REPORTS=up" },
      INSTALL,
      {
        run: {
          github: `${UP} --markdown "$GITHUB_STEP_SUMMARY"`,
          gitlab: `${UP} --markdown up/summary.md`,
        },
      },
    ],
  },
  {
    name: DRIFT,
    title: "What was changed behind the states and the roles",
    on: ["nightly"],
    timeoutMinutes: 60,
    permissions: { contents: "read" },
    runner: "homelab",
    // What the plan may read, this may: neither changes anything.
    environment: { github: PLAN, gitlab: PLAN },
    secrets: { github: HOMELAB_SECRETS, gitlab: HOMELAB_SECRETS },
    outside: true,
    prepare: ON_OUR_RUNNER,
    artefacts: { name: DRIFT, paths: ["drift/drift.json", "drift/failure.txt"] },
    steps: [CLEAN, INSTALL, { run: "make drift-report" }],
  },
  {
    name: "drift-issue",
    title: "Opens an issue of what drifted, updates it, and closes it when nothing differs any more",
    on: ["nightly"],
    timeoutMinutes: 10,
    permissions: { contents: "read", issues: "write" },
    runner: "hosted",
    environment: { gitlab: "issue" },
    secrets: { github: ["GITHUB_TOKEN"], gitlab: ["GITLAB_TOKEN"] },
    outside: true,
    needs: [DRIFT],
    always: true,
    prepare: [checkout(), node, { uses: "actions/download-artifact", with: { name: DRIFT, path: DRIFT }, continueOnError: true }],
    steps: [
      INSTALL,
      {
        run: {
          github: "npx --no-install homelab issue --github --drift drift/drift.json --failure drift/failure.txt",
          gitlab: "npx --no-install homelab issue --gitlab --drift drift/drift.json --failure drift/failure.txt",
        },
      },
    ],
  },
];

/** @throws for a name that no job has */
export function jobNamed(name: string): Job {
  const job = JOBS.find((one) => one.name === name);
  if (job === undefined)
    throw new HomelabError("E_JOB", `there is no job ${name}`, { subject: name, hint: `use one of ${JOBS.map((one) => one.name).join(", ")}` });
  return job;
}

/** What comes before a job's own steps on GitHub. */
export const preparationOf = (job: Job): readonly ActionStep[] => job.prepare ?? [checkout(job.depth === undefined ? {} : { "fetch-depth": job.depth }), node];
export const commandsOf = (job: Job) => job.steps.filter(isRun);
