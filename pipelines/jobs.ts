/** The jobs that this repository has on both hosts. `make ci-local JOB=<name>` runs the commands of one. */
import { HomelabError } from "../common/errors";
import { DELIVERY_JOBS } from "./delivery-jobs";
import { type ActionStep, isRun, type Job } from "./model";
import { CHILD_OF, CLEAN, checkout, DRIFT, IMAGES_LIST, INSTALL, NODE, ON_OUR_RUNNER, onHomelab, PLAN, PREVIEW } from "./steps";

/** The lab in which main is built; a pull request reads it, and only a run of main writes it. */
const LAB = { path: "lab" };

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
      NODE,
      { uses: "actions/cache/restore", with: { ...LAB, key: "lab-${{ github.event.pull_request.base.sha }}" } },
    ],
    // The base branch's script: that of the head could report anything about itself.
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
    prepare: [checkout({ path: "base" }), NODE],
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
      NODE,
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
    name: IMAGES_LIST,
    title: "Which images the commits concern",
    on: ["change", "main"],
    timeoutMinutes: 10,
    permissions: { contents: "read" },
    runner: "hosted",
    depth: 0,
    artefacts: { name: IMAGES_LIST, paths: [], child: CHILD_OF.images },
    // GitHub takes them as a matrix, GitLab as a pipeline; images.ts gives GitHub's the commit to compare with.
    steps: [INSTALL, { run: { github: "npm run images", gitlab: `npm run images -- --pipeline ${CHILD_OF.images}` } }],
  },
  ...DELIVERY_JOBS,
  {
    name: DRIFT,
    title: "What was changed behind the states and the roles",
    on: ["nightly"],
    timeoutMinutes: 60,
    // It may read what the plan may read: neither changes anything.
    ...onHomelab(PLAN),
    // Whether the report has the values of the fields. On GitLab the project's variable is in the environment by itself.
    env: { DRIFT_VALUES: "${{ vars.DRIFT_VALUES }}" },
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
    prepare: [checkout(), NODE, { uses: "actions/download-artifact", with: { name: DRIFT, path: DRIFT }, continueOnError: true }],
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
export const preparationOf = (job: Job): readonly ActionStep[] => job.prepare ?? [checkout(job.depth === undefined ? {} : { "fetch-depth": job.depth }), NODE];
export const commandsOf = (job: Job) => job.steps.filter(isRun);
