/** Which steps and jobs each host still runs after a step fails, computed from the pipelines' files. */
import * as path from "node:path";
import * as vm from "node:vm";
import { parse } from "yaml";

type Result = "success" | "failure" | "skipped";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly name?: string;
  readonly if?: string;
  readonly "continue-on-error"?: boolean;
}
interface GithubJob {
  readonly needs?: string[];
  readonly if?: string;
  readonly uses?: string;
  readonly steps?: Step[];
}
interface GitlabJob {
  readonly extends?: string;
  readonly stage?: string;
  readonly needs?: (string | { readonly job: string })[];
  readonly rules?: { readonly when?: string; readonly if?: string; readonly allow_failure?: boolean }[];
  readonly before_script?: string[];
  readonly script?: string[];
  readonly trigger?: object;
  readonly artifacts?: { readonly when?: string; readonly paths?: string[]; readonly reports?: object };
}

/** One step that fails, and the consequences. */
export interface Row {
  /** The file and the job, as `file/job`. */
  readonly job: string;
  readonly step: string;
  readonly result: Result;
  /** Later steps of the job that still run. On GitLab `keeps`, with the artefacts that are kept. */
  readonly goesOn: string;
  /** Other jobs that run because of the failure, or in spite of it. */
  readonly others: string;
}

/** The context in which conditions are evaluated, beside the results of jobs. */
const CONTEXT = {
  github: {
    ref: "refs/heads/main",
    event_name: "pull_request",
    event: { pull_request: { head: { repo: { fork: false } } }, workflow_run: { event: "pull_request" } },
  },
  vars: { HOMELAB_RUNNER: "true", REGISTRY: "registry.example" },
  inputs: { push: true },
  contains: (list: string[], one: string): boolean => list.includes(one),
  fromJSON: (text: string): unknown => JSON.parse(text),
  hashFiles: (): string => "some",
  cancelled: (): boolean => false,
};
/** Outputs of jobs that conditions read. */
const OUTPUTS: Readonly<Record<string, object>> = { plan: { changed: "true" }, "images-list": { images: '[{"name":"a"}]' } };

const context = vm.createContext({});

/** Evaluates a condition of GitHub. One without a status function is true only if nothing before has failed. */
function holds(condition: string | undefined, hasFailed: boolean, allPassed: boolean, results: ReadonlyMap<string, Result>): boolean {
  const text = condition ?? "success()";
  if (text === "success()" || (!/\b(always|failure|cancelled|success)\(\)/.test(text) && !allPassed)) return allPassed;
  const needs = Object.fromEntries([...results].map(([name, result]) => [name, { result, outputs: result === "success" ? (OUTPUTS[name] ?? {}) : {} }]));
  Object.assign(context, CONTEXT, { needs, always: () => true, failure: () => hasFailed, success: () => allPassed });
  return Boolean(vm.runInContext(text.replaceAll(/needs\.([\w-]+)/g, 'needs["$1"]'), context));
}

const nameOf = ({ uses, run, name }: Step): string => {
  const program = run ?? uses?.split("@")[0] ?? "";
  return name === undefined ? program : `${program} (${name})`;
};
/** The steps of a job. A job that calls another workflow counts as one step; that workflow has its own rows. */
const stepsOf = (job: GithubJob): Step[] => job.steps ?? [{ uses: job.uses ?? "" }];

interface Run {
  readonly results: Map<string, Result>;
  /** Later steps that run in the job whose step fails. */
  readonly goesOn: string[];
}

interface At {
  readonly job: string;
  readonly step: number;
}

/** One run of a workflow. @param at the step that fails, if any. @param before a job that fails before it */
function runOf(jobs: Record<string, GithubJob>, at?: At, before?: string): Run {
  const results = new Map<string, Result>();
  const goesOn: string[] = [];
  const failedBefore = (name: string): boolean => (jobs[name]?.needs ?? []).some((one) => results.get(one) === "failure" || failedBefore(one));
  for (const [name, job] of Object.entries(jobs)) {
    const allPassed = (job.needs ?? []).every((one) => results.get(one) === "success");
    if (!holds(job.if, failedBefore(name), allPassed, results)) {
      results.set(name, "skipped");
      continue;
    }
    let failed = name === before;
    for (const [i, step] of stepsOf(job).entries()) {
      if (!holds(step.if, failed, !failed, results)) continue;
      if (at?.job === name && i > at.step) goesOn.push(nameOf(step));
      if (at?.job === name && i === at.step && step["continue-on-error"] !== true) failed = true;
    }
    results.set(name, failed ? "failure" : "success");
  }
  return { results, goesOn };
}

type GithubFile = {
  readonly name: string;
  readonly on: { workflow_run?: { workflows: string[]; types: string[] } } | null;
  readonly jobs: Record<string, GithubJob>;
};

function githubRows(files: ReadonlyMap<string, GithubFile>): Row[] {
  const after = (name: string): string[] =>
    [...files].flatMap(([file, { on, jobs }]) => {
      const { workflows = [], types = [] } = on?.workflow_run ?? {};
      if (!workflows.includes(name) || types.join() !== "completed") return [];
      return [...runOf(jobs).results].flatMap(([job, result]) => (result === "success" ? [`${file}/${job}`] : []));
    });
  return [...files].flatMap(([file, { name, jobs }]) =>
    Object.entries(jobs).flatMap(([job, content]) =>
      stepsOf(content).map((step, i): Row => {
        const normal = runOf(jobs, { job, step: i });
        // A job for the way back is skipped unless a job that it needs has failed.
        const { results, goesOn } = normal.results.get(job) === "skipped" ? runOf(jobs, { job, step: i }, content.needs?.at(-1)) : normal;
        const names = Object.keys(jobs);
        const others = names.slice(names.indexOf(job) + 1).filter((one) => results.get(one) !== "skipped" && dependsOn(jobs, one, job));
        const result = results.get(job) ?? "skipped";
        return { job: `${file}/${job}`, step: nameOf(step), result, goesOn: goesOn.join(", "), others: [...others, ...after(name)].join(", ") };
      }),
    ),
  );
}
const dependsOn = (jobs: Record<string, GithubJob>, one: string, on: string): boolean =>
  (jobs[one]?.needs ?? []).some((name) => name === on || dependsOn(jobs, name, on));

const NO_JOB = new Set(["stages", "workflow", "include", "variables", "default"]);

function gitlabRows(file: string, all: Record<string, unknown>): Row[] {
  const jobs = Object.entries(all).filter(([name]) => !NO_JOB.has(name)) as [string, GitlabJob][];
  const needsOf = ({ needs = [] }: GitlabJob): string[] => needs.map((need) => (typeof need === "string" ? need : need.job));
  // Jobs that run always or on a failure. A job without `needs` does not run after a failure in an earlier stage.
  const others = (name: string): string[] =>
    jobs.flatMap(([other, job]) =>
      needsOf(job).includes(name) && (job.rules ?? []).some(({ when }) => when === "always" || when === "on_failure") ? [other] : [],
    );
  return jobs.flatMap(([name, job]) => {
    const commands = [...(job.before_script ?? []), ...(job.script ?? [])];
    const steps = commands.length > 0 ? commands : [job.trigger === undefined ? `extends ${job.extends ?? "nothing"}` : "trigger"];
    const kept = job.artifacts?.when === "always" || job.artifacts?.when === "on_failure" ? `keeps ${(job.artifacts.paths ?? []).join(" ")}` : "";
    const passes = (job.rules ?? []).some((rule) => rule.allow_failure === true);
    return steps.map((step): Row => ({ job: `${file}/${name}`, step, result: passes ? "success" : "failure", goesOn: kept, others: others(name).join(", ") }));
  });
}

/** @param files of both hosts, by path */
export function rowsOf(files: Readonly<Record<string, string>>): Row[] {
  const github = new Map<string, GithubFile>();
  const rows: Row[] = [];
  for (const [file, text] of Object.entries(files)) {
    const base = path.basename(file);
    if (file.startsWith(".github/")) github.set(base, parse(text) as GithubFile);
    else rows.push(...gitlabRows(file.replace(".gitlab/", "gitlab:").replace(".gitlab-ci.yml", "gitlab:ci.yml"), parse(text) as Record<string, unknown>));
  }
  return [...githubRows(github), ...rows];
}
