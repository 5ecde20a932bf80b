/** Which workflow files this repository has on GitHub, and which jobs are in each. */
import { APPLICATION } from "./application";
import type { Workflow } from "./github";
import { IMAGES } from "./images";
import { jobNamed } from "./jobs";
import type { Job } from "./model";
import { REUSABLE } from "./reusable";

const MAIN = { branches: ["main"] };
const CHANGE = { pull_request: null };
/** A newer run of a pull request cancels the older one. Runs of main all go to their end. */
const perBranch = (name: string) => ({ group: `${name}-\${{ github.ref }}`, cancel: "${{ github.event_name == 'pull_request' }}" });

/** A repository without a runner that reaches the servers has no job that waits for one. */
const ON_OUR_RUNNER = "github.ref == 'refs/heads/main' && vars.HOMELAB_RUNNER == 'true'";
const HIGH = "CRITICAL,HIGH";
const isOwn = "github.event.pull_request.head.repo.fork != true";

/** Scans are actions here and images on GitLab (gitlab.ts). */
const SCANS: readonly Job[] = [
  {
    name: "trivy",
    title: "Misconfigurations of what is in this repository",
    on: ["change", "main"],
    timeoutMinutes: 20,
    permissions: { contents: "read", "security-events": "write" },
    runner: "hosted",
    only: "github",
    steps: [
      {
        uses: "aquasecurity/trivy-action",
        with: {
          "scan-type": "config",
          "scan-ref": ".",
          format: "sarif",
          output: "trivy.sarif",
          severity: HIGH,
          "limit-severities-for-sarif": true,
          "exit-code": "1",
        },
      },
      // A fork's token may not write; its findings fail the job all the same.
      { uses: "github/codeql-action/upload-sarif", if: `always() && ${isOwn}`, with: { sarif_file: "trivy.sarif", category: "trivy" } },
    ],
  },
  {
    name: "trufflehog",
    title: "Secrets in the commits of the change",
    on: ["change", "main"],
    timeoutMinutes: 20,
    permissions: { contents: "read" },
    runner: "hosted",
    only: "github",
    depth: 0,
    steps: [{ uses: "trufflesecurity/trufflehog", with: { path: "./", version: "3.97.0", extra_args: "--results=verified,unknown" } }],
  },
];

export const WORKFLOWS: readonly Workflow[] = [
  {
    file: "checks.yml",
    name: "checks",
    why: "What every change and every commit of main must pass.",
    on: { ...CHANGE, push: MAIN },
    concurrency: perBranch("checks"),
    jobs: [
      { job: jobNamed("check") },
      { job: jobNamed("validate") },
      { job: jobNamed("commits"), if: "github.event_name == 'pull_request'" },
      { job: jobNamed("test") },
      { job: jobNamed("rehearsals") },
    ],
  },
  {
    file: "preview.yml",
    name: "preview",
    why: `Shows on each pull request what it changes: a lab in which the base branch is built, and in it a preview of the head. No credential is
needed or given, so a fork's is safe too. Its result is data (a report), which comment.yml checks and renders.`,
    on: CHANGE,
    concurrency: { group: "preview-${{ github.event.pull_request.number }}", cancel: true },
    jobs: [{ job: jobNamed("preview") }],
  },
  {
    file: "comment.yml",
    name: "comment",
    why: `Posts what a preview found, in one comment that is updated in place. Only the base branch's code runs here, beside the token: it takes
the report that the pull request's code wrote as data, checks it against the schema, and renders it.`,
    on: { workflow_run: { workflows: ["preview"], types: ["completed"] } },
    concurrency: { group: "comment-${{ github.event.workflow_run.head_repository.id }}-${{ github.event.workflow_run.head_branch }}", cancel: false },
    jobs: [{ job: jobNamed("comment"), if: "github.event.workflow_run.event == 'pull_request'" }],
  },
  {
    file: "lab-of-main.yml",
    name: "lab of main",
    why: "Builds main in a lab once, so that previews need not. Runs of pull requests read this cache and never write one.",
    on: { push: MAIN },
    concurrency: { group: "lab-of-main", cancel: true },
    jobs: [{ job: jobNamed("lab-of-main") }],
  },
  {
    file: "security.yml",
    name: "security",
    why: "Scans that need no command of ours. Findings are uploaded also where the job fails because of them.",
    on: { ...CHANGE, push: MAIN, schedule: [{ cron: "17 4 * * 1" }] },
    concurrency: perBranch("security"),
    jobs: SCANS.map((job) => ({ job })),
  },
  {
    file: "nightly.yml",
    name: "nightly",
    why: "What is too long for every change.",
    on: { schedule: [{ cron: "23 1 * * *" }], workflow_dispatch: null },
    concurrency: { group: "nightly", cancel: false },
    jobs: [{ job: jobNamed("nightly") }, { job: jobNamed("real-parts") }],
  },
  {
    file: "release.yml",
    name: "release",
    why: "Version, changelog and tag. Where the commits since the last tag call for none, it ends and says so.",
    on: { push: MAIN },
    concurrency: { group: "release", cancel: false },
    jobs: [{ job: jobNamed("release") }],
  },
  {
    file: "up.yml",
    name: "up",
    why: `Shows what main would change on the real homelab, and after the approval that the environment prod asks for does that and nothing else:
the plan is an artefact, and \`up\` refuses where it would be something else now. Then it waits for the rollouts. A newer commit waits
until the older is done or rejected.`,
    on: { push: MAIN, workflow_dispatch: null },
    concurrency: { group: "homelab", cancel: false },
    jobs: [
      { job: jobNamed("plan"), if: ON_OUR_RUNNER, outputs: { changed: "${{ steps.plan.outputs.changed }}" } },
      // Without changes nobody is asked for an approval.
      { job: jobNamed("up"), if: "needs.plan.outputs.changed == 'true'" },
      // It runs even where up had nothing to do: applications that Argo CD delivers do not need it.
      {
        job: jobNamed("rollout"),
        needs: ["plan", "up"],
        if: "!cancelled() && needs.plan.result == 'success' && contains(fromJSON('[\"success\", \"skipped\"]'), needs.up.result)",
      },
    ],
  },
  {
    file: "drift.yml",
    name: "drift",
    why: `Looks each night for what was changed without the program and the roles. One issue says what: it is opened, updated, and closed when
nothing differs any more. The job that holds the homelab's secrets cannot write it, and the one that writes it has none of them.`,
    on: { schedule: [{ cron: "41 4 * * *" }], workflow_dispatch: null },
    concurrency: { group: "drift", cancel: false },
    jobs: [
      { job: jobNamed("drift"), if: ON_OUR_RUNNER },
      { job: jobNamed("drift-issue"), if: "always() && needs.drift.result != 'skipped'" },
    ],
  },
  ...IMAGES,
  ...REUSABLE,
  ...APPLICATION,
];
