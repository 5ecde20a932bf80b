/** Rules for every workflow and every job, checked on the files that the hosts read. The message of a rule names what breaks it. */
import { parse } from "yaml";
import { ACTIONS } from "../../pipelines/actions";
import { splitCommand } from "../../pipelines/command-words";

interface GithubStep {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, unknown> | string;
}
interface GithubJob {
  uses?: string;
  "runs-on"?: string | string[];
  "timeout-minutes"?: number;
  permissions?: Record<string, string>;
  env?: Record<string, unknown>;
  steps?: GithubStep[];
}
interface GithubWorkflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  concurrency?: { group?: string };
  jobs: Record<string, GithubJob>;
}

/** Jobs with write permissions, and which. All others may only read. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  "comment.yml/comment": ["pull-requests"],
  "drift.yml/drift-issue": ["issues"],
  "release.yml/release": ["contents"],
  "security.yml/trivy": ["security-events"],
  "build-and-push.yml/build": ["attestations", "id-token", "security-events"],
  "iac-tests.yml/scan": ["security-events"],
  // It calls build-and-push.yml, and a called workflow gets no more permissions than its caller has.
  "application.yml/build": ["attestations", "id-token", "security-events"],
  "images.yml/image": ["attestations", "id-token", "security-events"],
  // It pushes a tag to the application's repository.
  "version.yml/version": ["contents"],
  "application.yml/version": ["contents"],
};
/** Jobs that may read a secret. None of them runs for a fork's pull request. */
const SECRET_JOBS = new Set([
  ...["up.yml/plan", "up.yml/up", "up.yml/rollout", "drift.yml/drift", "build-and-push.yml/build", "deploy.yml/deploy", "delivered.yml/delivered"],
  ...["images.yml/image", "version.yml/version", "version.yml/tag", "application.yml/build", "application.yml/version"],
  ...["dev", "stg", "prod"].flatMap((name) => [name, `${name}-delivered`, `${name}-back`]).map((name) => `application.yml/${name}`),
]);

const stepsOf = (job: GithubJob): GithubStep[] => job.steps ?? [];
const isReusable = ({ on }: GithubWorkflow): boolean => on !== null && "workflow_call" in on;

function pinProblems(text: string): string[] {
  return [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].flatMap(([, value = ""]) => {
    // A workflow of this repository is taken from the same commit as its caller, so it needs no pin.
    if (/^\.\/\.github\/workflows\/[\w-]+\.yml$/.test(value)) return [];
    const { name = "", commit, version } = /^(?<name>[^@\s]+)@(?<commit>[0-9a-f]{40}) # (?<version>v\d+\.\d+\.\d+)$/.exec(value)?.groups ?? {};
    if (commit === undefined) return [`${value}: not pinned by commit with its version beside it`];
    const known = ACTIONS[name];
    return known?.commit === commit && known.version === version ? [] : [`${value}: not the pin of pipelines/actions.ts`];
  });
}

function inputProblems(step: GithubStep): string[] {
  const name = step.uses?.split("@")[0];
  const known = name === undefined ? undefined : ACTIONS[name]?.inputs;
  return Object.keys(step.with ?? {})
    .filter((key) => known?.includes(key) !== true)
    .map((key) => `${name} has no input ${key}`);
}

function commandProblems(command: string): string[] {
  try {
    splitCommand(command);
    return [];
  } catch (thrown) {
    return [String(thrown)];
  }
}

function permissionProblems(place: string, job: GithubJob): string[] {
  if (job.permissions === undefined) return [`${place}: no permissions of its own`];
  const writes = Object.keys(job.permissions).filter((name) => job.permissions?.[name] !== "read");
  const extra = writes.filter((name) => WRITERS[place]?.includes(name) !== true);
  return extra.map((name) => `${place}: may write ${name}`);
}

/** A job with a write permission has none of the homelab's secrets. */
function mixProblems(place: string, job: GithubJob): string[] {
  const writes = Object.values(job.permissions ?? {}).includes("write");
  return writes && /secrets\.(SOPS|PULUMI|AWS)/.test(JSON.stringify(job)) ? [`${place}: the homelab's secrets beside a right to write`] : [];
}

/** A self-hosted runner keeps its folder between runs. Reports of an earlier run must be removed first, so that they are not taken for this run's. */
function ownRunnerProblems(place: string, job: GithubJob): string[] {
  if (!JSON.stringify(job["runs-on"] ?? "").includes("self-hosted")) return [];
  const first = stepsOf(job).find(({ run }) => run !== undefined)?.run ?? "";
  return first.startsWith("make clean-reports") ? [] : [`${place}: what an earlier run left is not removed first`];
}

/** A fork's pull request must not run with the base's rights, choose what is checked out beside a token, write a cache, or get a secret. */
function forkProblems(place: string, workflow: GithubWorkflow, text: string): string[] {
  const problems = /pull_request_target/.test(text) ? [`${place}: pull_request_target runs with the base's rights`] : [];
  if ("workflow_run" in workflow.on && /\bref:|repository:/.test(text)) problems.push(`${place}: checks out what the change names, beside a token`);
  if ("pull_request" in workflow.on && /actions\/cache\/save|cache-to/.test(text)) problems.push(`${place}: a change writes a cache`);
  if ("pull_request" in workflow.on && /\$\{\{ (secrets\.|github\.token)/.test(text)) problems.push(`${place}: a change's run is given a secret`);
  return problems;
}

/** @param file name of the workflow's file, @param text its content */
export function githubProblems(file: string, text: string): string[] {
  const workflow = parse(text) as GithubWorkflow;
  const jobs = Object.entries(workflow.jobs);
  return [
    ...pinProblems(text),
    ...forkProblems(file, workflow, text),
    ...(Object.keys(workflow.permissions ?? { none: "" }).length === 0 ? [] : [`${file}: the workflow itself has permissions, or leaves them to the default`]),
    ...(isReusable(workflow) || workflow.concurrency?.group !== undefined ? [] : [`${file}: no concurrency group`]),
    ...jobs.flatMap(([name, job]) => {
      const place = `${file}/${name}`;
      const minutes = job["timeout-minutes"];
      return [
        ...permissionProblems(place, job),
        ...mixProblems(place, job),
        ...ownRunnerProblems(place, job),
        ...(job.uses !== undefined || (minutes !== undefined && minutes > 0 && minutes < 360) ? [] : [`${place}: no timeout below six hours`]),
        ...(JSON.stringify(job["runs-on"] ?? "").includes("latest") || (job["runs-on"] === undefined && job.uses === undefined)
          ? [`${place}: no runner by its own label`]
          : []),
        ...(SECRET_JOBS.has(place) || !JSON.stringify(job).includes("secrets.") ? [] : [`${place}: reads a secret`]),
        ...stepsOf(job).flatMap((step) => [
          ...inputProblems(step),
          ...(step.run === undefined ? [] : commandProblems(step.run)),
          ...(step.uses?.startsWith("actions/checkout@") === true && step.with?.["persist-credentials"] !== false
            ? [`${place}: the token stays in the checkout`]
            : []),
          ...(step.uses?.startsWith("actions/setup-node@") === true && step.with?.["package-manager-cache"] !== false
            ? [`${place}: a cache that changes write`]
            : []),
        ]),
      ];
    }),
  ];
}

interface GitlabJob {
  script?: string[];
  before_script?: string[];
  timeout?: string;
  image?: string | { name: string };
  rules?: { if?: string; when?: string; allow_failure?: boolean }[];
  environment?: { name: string };
  resource_group?: string;
  interruptible?: boolean;
  needs?: (string | { job?: string; pipeline?: string; artifacts?: boolean })[];
  tags?: string[];
  trigger?: { include?: { artifact?: string; job?: string }[]; strategy?: string };
}
const GLOBAL = new Set(["stages", "workflow", "include", "default", "variables"]);

/** Jobs that change something outside: they run one at a time, are never interrupted, and have the secrets of their environment alone. */
const OUTSIDE = new Set(["up", "release", "deploy"]);

/** The job `up` of main's pipeline starts the child pipeline that the plan wrote. In that child, another job `up` applies the plan. */
function upProblems({ trigger, needs = [], rules = [] }: GitlabJob): string[] {
  if (trigger !== undefined) {
    const isOfPlan = trigger.include?.length === 1 && trigger.include[0]?.job === "plan" && trigger.include[0].artifact === "plan/pipeline.yml";
    return isOfPlan && trigger.strategy === "depend" ? [] : ["up: without the plan that was reviewed, or its failure does not fail the pipeline"];
  }
  const plan = needs.find((need) => typeof need === "object" && need.job === "plan" && /^\d+$/.test(need.pipeline ?? "") && need.artifacts !== false);
  return [
    ...(plan === undefined || needs.length !== 1 ? ["up: without the plan that was reviewed"] : []),
    ...(rules.some(({ when, allow_failure: mayFail }) => when !== "manual" || mayFail !== false)
      ? ["up: starts without a manual action, or the pipeline does not wait for it"]
      : []),
  ];
}

/** Whether a rule is for a child pipeline. Its parent, of the same commit, has already checked the other conditions. */
const isOfParent = (rule: { if?: string }): boolean => rule.if?.includes('$CI_PIPELINE_SOURCE == "parent_pipeline"') === true;

/** @param jobs of the file with every `extends` and `include` resolved */
export function gitlabProblems(jobs: Record<string, unknown>): string[] {
  return Object.entries(jobs)
    .filter(([name]) => !GLOBAL.has(name) && !name.startsWith("."))
    .flatMap(([name, value]) => {
      const job = value as GitlabJob;
      const image = typeof job.image === "string" ? job.image : job.image?.name;
      const rules = job.rules ?? [];
      return [
        // A trigger job has neither; the jobs of the pipeline that it starts have both.
        ...(job.timeout === undefined && job.trigger === undefined ? [`${name}: no timeout`] : []),
        ...(job.trigger === undefined && (image === undefined || !/:[v\d][\w.-]*$/.test(image)) ? [`${name}: an image without a version`] : []),
        ...(rules.length === 0 || rules.some((rule) => rule.if === undefined) ? [`${name}: runs on everything`] : []),
        ...(OUTSIDE.has(name) && job.trigger === undefined && (job.environment === undefined || job.resource_group === undefined || job.interruptible !== false)
          ? [`${name}: not alone, may be cut, or without an environment`]
          : []),
        ...(name === "up" ? upProblems(job) : []),
        ...((job.tags ?? []).includes("homelab") && rules.some((rule) => rule.if?.includes("$HOMELAB_RUNNER") !== true && !isOfParent(rule))
          ? [`${name}: runs on the homelab's runner without asking whether there is one`]
          : []),
        ...(rules.some(({ allow_failure: mayFail }) => mayFail === true) || (rules.some(({ when }) => when === "manual") && name !== "up")
          ? [`${name}: its failure does not fail the pipeline, or it waits for a manual start`]
          : []),
        ...[...(job.before_script ?? []), ...(job.script ?? [])].flatMap(commandProblems),
      ];
    });
}
