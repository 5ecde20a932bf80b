/** Which pull request a run of CI is about, or the run itself, from the files and variables of the host; all of them are checked here. */
import * as fs from "node:fs";
import { z } from "zod";
import { readEnv } from "../../common/env";
import { HomelabError } from "../../common/errors";

/** What every comment says of its run. */
export interface RunFacts {
  /** Commit that was previewed. */
  readonly commit: string;
  /** Page of the run that holds the whole report. */
  readonly runUrl: string;
  /** How the run ended, where the host says so. */
  readonly conclusion?: string | undefined;
}

/** A run of GitHub Actions, whatever it is about. */
export interface GithubRun extends RunFacts {
  readonly api: string;
  readonly owner: string;
  readonly repo: string;
  readonly token: string;
}

export interface GithubFacts extends GithubRun {
  /** Where the event names it; a fork's run does not. */
  readonly number?: number | undefined;
  /** `owner:branch` of the head. */
  readonly head: string;
}

/** A pipeline of GitLab, whatever it is about. */
export interface GitlabRun extends RunFacts {
  readonly api: string;
  readonly project: string;
  readonly token: string;
}

export interface GitlabFacts extends GitlabRun {
  readonly iid: number;
}

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const sha = z.string().regex(COMMIT);
const url = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/[^\s()<>"'`]+$/);
const number = z.number().int().positive();

const workflowRun = z.object({
  workflow_run: z.object({
    head_sha: sha,
    head_branch: z.string().min(1).max(500),
    html_url: url,
    conclusion: z.string().max(50).nullable(),
    head_repository: z.object({ owner: z.object({ login: z.string().min(1).max(100) }) }),
    pull_requests: z.array(z.object({ number })),
  }),
});
const pullRequest = z.object({
  pull_request: z.object({ number, head: z.object({ sha, label: z.string().min(1).max(700) }) }),
});

function variable(name: string, pattern: RegExp, hint: string): string {
  const value = readEnv(name);
  if (value === undefined) throw new HomelabError("E_NO_RUN", `${name} is not set`, { subject: name, hint });
  if (!pattern.test(value)) throw new HomelabError("E_NO_RUN", `${name} is not what it should be`, { subject: name, hint });
  return value;
}

/** Without control characters and blanks, which have no place in a header. The value is never in the message. */
const token = (name: string, hint: string): string => variable(name, /^[\x21-\x7e]{1,2000}$/, hint);

/** An API over plain HTTP gets no token, unless it is on this machine. */
function apiUrl(name: string, fallback: string): string {
  const value = readEnv(name) ?? fallback;
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  const isHere = parsed?.hostname === "127.0.0.1" || parsed?.hostname === "localhost" || parsed?.hostname === "[::1]";
  if (parsed === undefined || (parsed.protocol !== "https:" && !(parsed.protocol === "http:" && isHere)))
    throw new HomelabError("E_NO_RUN", `${name} is no address of an API: https://…`, { subject: name });
  return value.replace(/\/+$/, "");
}

function readEvent(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (cause) {
    throw new HomelabError("E_NO_RUN", `the event's file ${file} cannot be read`, { cause, subject: file });
  }
}

const INSIDE_GITHUB = "run it in a job of GitHub Actions, on workflow_run or pull_request";

/** @param name of the variable that has the repository; @param hint what a token is missing for */
function githubAccess(name: string, hint: string, repositoryHint = INSIDE_GITHUB) {
  const [owner = "", repo = ""] = variable(name, /^[\w.-]{1,100}\/[\w.-]{1,100}$/, repositoryHint).split("/");
  return { api: apiUrl("GITHUB_API_URL", "https://api.github.com"), owner, repo, token: token("GITHUB_TOKEN", hint) };
}

/** @param right that the job's token needs */
const githubBase = (right: string) =>
  githubAccess("GITHUB_REPOSITORY", `give the job \`permissions: ${right}: write\`, and the step github.token as GITHUB_TOKEN`);

/** The repository of the homelab, for commands that only read: a job of another repository names it. @throws HomelabError E_NO_RUN naming the variable */
export const githubReader = () =>
  githubAccess(
    readEnv("HOMELAB_REPOSITORY") === undefined ? "GITHUB_REPOSITORY" : "HOMELAB_REPOSITORY",
    "give the step a token that may read the runs of the homelab (actions: read) as GITHUB_TOKEN",
  );

const CHANGES = "a token that may change the homelab's repository (contents and pull-requests: write)";

/**
 * The repository of the homelab, for commands that change it: in a job, or at a terminal with the two variables.
 * @throws HomelabError E_NO_RUN naming the variable
 */
export const githubWriter = () =>
  githubAccess(
    readEnv("GITHUB_REPOSITORY") === undefined || readEnv("HOMELAB_REPOSITORY") !== undefined ? "HOMELAB_REPOSITORY" : "GITHUB_REPOSITORY",
    `give it ${CHANGES} as GITHUB_TOKEN`,
    "set it to <owner>/<repository> of the homelab, or run it in a job of GitHub Actions there",
  );

function githubRunUrl({ owner, repo }: { owner: string; repo: string }): string {
  const server = variable("GITHUB_SERVER_URL", /^https?:\/\/[^\s()<>"'`]+$/, INSIDE_GITHUB);
  return `${server}/${owner}/${repo}/actions/runs/${variable("GITHUB_RUN_ID", /^\d{1,20}$/, INSIDE_GITHUB)}`;
}

/** The run itself, for what is not about a pull request. @throws HomelabError E_NO_RUN naming the variable that is missing or wrong */
export function githubRun(): GithubRun {
  const base = githubBase("issues");
  return { ...base, commit: variable("GITHUB_SHA", COMMIT, INSIDE_GITHUB), runUrl: githubRunUrl(base) };
}

/** @throws HomelabError E_NO_RUN naming the variable or file that is missing or wrong */
export function githubFacts(): GithubFacts {
  const base = githubBase("pull-requests");
  const file = variable("GITHUB_EVENT_PATH", /./, INSIDE_GITHUB);
  const event = readEvent(file);
  const ofRun = workflowRun.safeParse(event);
  if (ofRun.success) {
    const { workflow_run: run } = ofRun.data;
    return {
      ...base,
      commit: run.head_sha,
      runUrl: run.html_url,
      conclusion: run.conclusion ?? undefined,
      number: run.pull_requests[0]?.number,
      head: `${run.head_repository.owner.login}:${run.head_branch}`,
    };
  }
  const ofPull = pullRequest.safeParse(event);
  if (!ofPull.success)
    throw new HomelabError("E_NO_RUN", `the event in ${file} is about no pull request`, { subject: file, hint: INSIDE_GITHUB, cause: ofRun.error });
  const { pull_request: pull } = ofPull.data;
  return { ...base, commit: pull.head.sha, runUrl: githubRunUrl(base), number: pull.number, head: pull.head.label };
}

const INSIDE_GITLAB = "run it in a pipeline of a merge request of GitLab";

function gitlabApi(): string {
  const api = apiUrl("CI_API_V4_URL", "https://gitlab.com/api/v4");
  if (!api.endsWith("/api/v4"))
    throw new HomelabError("E_NO_RUN", "CI_API_V4_URL does not end with /api/v4", { subject: "CI_API_V4_URL", hint: INSIDE_GITLAB });
  return api;
}

const gitlabAccess = (scope: string, environment: string) => ({
  api: gitlabApi(),
  project: variable("CI_PROJECT_ID", /^\d{1,15}$/, INSIDE_GITLAB),
  token: token("GITLAB_TOKEN", `make a project access token with the scope ${scope}, and keep it as a masked variable of the environment \`${environment}\``),
});

/** The project of the homelab, for commands that only read. @throws HomelabError E_NO_RUN naming the variable that is missing or wrong */
export const gitlabReader = () => gitlabAccess("read_api", "delivered");

/** The project of the homelab, for commands that change it. @throws HomelabError E_NO_RUN naming the variable that is missing or wrong */
export const gitlabWriter = () => gitlabAccess("api, and the role Developer,", "promote");

/** The pipeline itself, for what is not about a merge request. @throws HomelabError E_NO_RUN naming the variable that is missing or wrong */
export function gitlabRun(environment = "issue"): GitlabRun {
  return {
    ...gitlabAccess("api", environment),
    commit: variable("CI_COMMIT_SHA", COMMIT, INSIDE_GITLAB),
    runUrl: variable("CI_PIPELINE_URL", /^https?:\/\/[^\s()<>"'`]{1,2000}$/, INSIDE_GITLAB),
  };
}

/** @throws HomelabError E_NO_RUN naming the variable that is missing or wrong */
export function gitlabFacts(): GitlabFacts {
  return { ...gitlabRun("comment"), iid: Number(variable("CI_MERGE_REQUEST_IID", /^[1-9]\d{0,9}$/, INSIDE_GITLAB)) };
}
