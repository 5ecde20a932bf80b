/** The description as GitHub's workflow files. */
import { stringify } from "yaml";
import { ACTIONS, pinned } from "./actions";
import { preparationOf } from "./jobs";
import { type ActionStep, commandFor, isRun, type Job, type Permissions, type Step } from "./model";

const RUNNERS = { hosted: "ubuntu-24.04", homelab: ["self-hosted", "homelab"] } as const;

/** One file below .github/workflows. */
export interface Workflow {
  readonly file: string;
  readonly name: string;
  /** Comment at the head of the file. */
  readonly why: string;
  readonly on: Readonly<Record<string, unknown>>;
  /** Runs of one group wait for one another; `cancel`: a newer one ends the older. Not for `workflow_call`, which its caller groups. */
  readonly concurrency?: { readonly group: string; readonly cancel: boolean | string };
  readonly jobs: readonly WorkflowJob[];
}

export type WorkflowJob = OwnJob | CallingJob;

/** A job for each entry of a JSON list, which is an expression; one that fails ends no other. */
interface Matrix {
  readonly matrix?: { readonly name: string; readonly of: string };
}

/** Another workflow of this repository, called as a job, at the same commit. */
export interface CallingJob extends Matrix {
  readonly name: string;
  readonly title: string;
  /** File below .github/workflows. */
  readonly calls: string;
  readonly needs?: readonly string[];
  readonly if?: string;
  /** The most rights that the jobs of the called workflow have. */
  readonly permissions: Permissions;
  readonly with: Readonly<Record<string, string | boolean>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

interface OwnJob extends Matrix {
  readonly job: Job;
  readonly if?: string;
  /** Replaces the job's own `needs`. On GitLab, stages give the rest of the order. */
  readonly needs?: readonly string[];
  readonly outputs?: Readonly<Record<string, string>>;
}

function actionStep(step: ActionStep): object {
  if (ACTIONS[step.uses] === undefined) throw new Error(`no pin for the action ${step.uses}`);
  return {
    ...(step.name === undefined ? {} : { name: step.name }),
    ...(step.id === undefined ? {} : { id: step.id }),
    ...(step.if === undefined ? {} : { if: step.if }),
    uses: pinned(step.uses),
    ...(step.continueOnError ? { "continue-on-error": true } : {}),
    ...(step.with === undefined ? {} : { with: step.with }),
    ...(step.env === undefined ? {} : { env: step.env }),
  };
}

function stepOf(step: Step): object {
  if (!isRun(step)) return actionStep(step);
  return {
    ...(step.id === undefined ? {} : { id: step.id }),
    ...(step.if === undefined ? {} : { if: step.if }),
    run: commandFor(step.run, "github"),
    ...(step.folder === undefined ? {} : { "working-directory": step.folder }),
  };
}

/** Artefacts are kept even after a failed step. */
const upload = ({ name, paths }: NonNullable<Job["artefacts"]>): ActionStep => ({
  uses: "actions/upload-artifact",
  if: "always()",
  with: { name, path: paths.join("\n"), "if-no-files-found": "ignore", "retention-days": 7 },
});

const secretValue = (name: string): string => (name === "GITHUB_TOKEN" ? "${{ github.token }}" : `\${{ secrets.${name} }}`);

const strategyOf = (matrix: Matrix["matrix"] | undefined): object =>
  matrix === undefined ? {} : { strategy: { "fail-fast": false, matrix: { [matrix.name]: matrix.of } } };

/** @param names of the workflow's jobs. A needed job of another workflow is left out: its end is the event that starts this workflow. */
function jobOf({ job, if: condition, outputs, matrix, needs: wanted = job.needs ?? [] }: OwnJob, names: readonly string[]): object {
  const needs = wanted.filter((name) => names.includes(name));
  const secrets = Object.fromEntries((job.secrets?.github ?? []).map((name) => [name, secretValue(name)]));
  const steps = [...preparationOf(job), ...job.steps, ...(job.artefacts === undefined || job.artefacts.paths.length === 0 ? [] : [upload(job.artefacts)])];
  return {
    name: job.title,
    ...(needs.length === 0 ? {} : { needs }),
    ...(condition === undefined ? {} : { if: condition }),
    ...strategyOf(matrix),
    "runs-on": RUNNERS[job.runner],
    "timeout-minutes": job.timeoutMinutes,
    permissions: job.permissions satisfies Permissions,
    ...(job.environment?.github === undefined ? {} : { environment: job.environment.github }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(job.env === undefined && Object.keys(secrets).length === 0 ? {} : { env: { ...job.env, ...secrets } }),
    steps: steps.map(stepOf),
  };
}

const callOf = ({ title, calls, needs, if: condition, matrix, permissions, with: inputs, secrets }: CallingJob): object => ({
  name: title,
  ...(needs === undefined ? {} : { needs }),
  ...(condition === undefined ? {} : { if: condition }),
  ...strategyOf(matrix),
  permissions,
  uses: `./.github/workflows/${calls}`,
  with: inputs,
  ...(secrets === undefined ? {} : { secrets }),
});

const nameOf = (one: WorkflowJob): string => ("job" in one ? one.job.name : one.name);

const HEAD = "# Made by `npm run pipelines` from pipelines/: edit there.";
export const comment = (text: string): string =>
  text
    .split("\n")
    .map((line) => `# ${line}`.trimEnd())
    .join("\n");

/** The version beside each commit, where a reader and an updater look for it. */
const withVersions = (text: string): string =>
  text.replaceAll(/uses: ([^@\s]+)@([0-9a-f]{40})$/gm, (whole, name: string) => `${whole} # ${ACTIONS[name]?.version}`);

export function renderWorkflow(workflow: Workflow): string {
  const { concurrency } = workflow;
  const names = workflow.jobs.map(nameOf);
  const content = {
    name: workflow.name,
    on: workflow.on,
    permissions: {},
    ...(concurrency === undefined ? {} : { concurrency: { group: concurrency.group, "cancel-in-progress": concurrency.cancel } }),
    jobs: Object.fromEntries(workflow.jobs.map((one) => [nameOf(one), "job" in one ? jobOf(one, names) : callOf(one)])),
  };
  return `${HEAD}\n${comment(workflow.why)}\n${withVersions(stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }))}`;
}
