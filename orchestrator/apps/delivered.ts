/**
 * Whether a commit on main is delivered. The host on which the homelab's pipelines run is asked, so that the caller needs none of the homelab's
 * secrets. On GitHub `up.yml` delivers, on GitLab the jobs `plan`, `up` and `rollout` of main's pipeline.
 */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { githubClient } from "../pull-request/github-client";
import { gitlabClient } from "../pull-request/gitlab-client";
import type { PoliteFetch } from "../pull-request/polite-fetch";

const BRANCH = "main";
const WORKFLOW = "up.yml";
/** The last of GitLab's jobs that deliver. */
const LAST_JOB = "rollout";
const PAUSE_MS = 15_000;
/** How many of the newest runs are listed: the run of a later commit delivers an earlier one too. */
const LOOKED_AT = 100;

export interface DeliveryRun {
  /** Counts up on main: a run with a higher number has all commits of one with a lower number. */
  readonly number: number;
  /** Page of the run. */
  readonly url: string;
  readonly state: "running" | "delivered" | "failed";
  /** How it ended, in the host's words. */
  readonly says: string;
}

export interface DeliveryHost {
  readonly where: string;
  /** The runs of main whose commit is this one or a later one. None while the host has not started one. */
  runsWith(commit: string, contains: Contains): Promise<DeliveryRun[]>;
}

interface Access {
  readonly api: string;
  readonly token: string;
}

/** Whether a commit is in the history of another one, as far as the clone knows both. */
export type Contains = (history: string, commit: string) => Promise<boolean>;

/**
 * The runs that have the commit: its own run, or that of the push that brought it together with later commits, and all later runs.
 * @param runs of main, in any order
 */
async function having<T extends { readonly sha: string; readonly number: number }>(runs: readonly T[], commit: string, contains: Contains): Promise<T[]> {
  // The host was asked for the commit's own runs and for the newest runs: one run may be in both lists.
  const sorted = [...new Map(runs.map((run) => [run.number, run])).values()].toSorted((a, b) => a.number - b.number);
  for (const [i, { sha }] of sorted.entries()) if (sha === commit || (await contains(sha, commit))) return sorted.slice(i);
  return [];
}

const githubRuns = z.object({
  workflow_runs: z.array(
    z.object({ run_number: z.number().int(), html_url: z.string(), status: z.string().nullable(), conclusion: z.string().nullable(), head_sha: z.string() }),
  ),
});
type GithubRun = z.infer<typeof githubRuns>["workflow_runs"][number];

function githubState({ status, conclusion }: GithubRun): Pick<DeliveryRun, "state" | "says"> {
  if (status !== "completed") return { state: "running", says: status ?? "queued" };
  if (conclusion === "success") return { state: "delivered", says: conclusion };
  return { state: "failed", says: conclusion === "skipped" ? "skipped: the repository's variable HOMELAB_RUNNER is not true" : (conclusion ?? "ended") };
}

/** @param facts the homelab's repository, and a token that may read its runs (`actions: read`) */
export function githubDelivery(facts: Access & { owner: string; repo: string }, polite: PoliteFetch): DeliveryHost {
  const meaning = {
    403: "the token may not read the runs: it needs actions: read",
    404: "the repository or its up.yml is not there, or the token does not see it",
  };
  const { client, asked, checked } = githubClient(facts, polite, meaning);
  const { owner, repo } = facts;
  const list = (more: { head_sha?: string }) =>
    asked("listing the runs of up", async () => {
      const { data } = await client.rest.actions.listWorkflowRuns({ owner, repo, workflow_id: WORKFLOW, branch: BRANCH, per_page: LOOKED_AT, ...more });
      return checked(githubRuns, data, "listing the runs of up").workflow_runs.map((run) => ({ ...run, number: run.run_number, sha: run.head_sha }));
    });
  return {
    where: `${owner}/${repo}`,
    runsWith: async (commit, contains) => {
      const runs = await having([...(await list({ head_sha: commit })), ...(await list({}))], commit, contains);
      return runs.map((run) => ({ number: run.number, url: run.html_url, ...githubState(run) }));
    },
  };
}

const pipelinesSchema = z.array(z.object({ id: z.number().int(), status: z.string(), web_url: z.string(), sha: z.string() }));
type Pipeline = z.infer<typeof pipelinesSchema>[number];
const jobsSchema = z.array(z.object({ name: z.string(), status: z.string() }));

/** The state of the last job decides: that of the pipeline depends on its other jobs too. */
function gitlabState({ status }: Pipeline, jobs: z.infer<typeof jobsSchema>): Pick<DeliveryRun, "state" | "says"> {
  const last = jobs.find(({ name }) => name === LAST_JOB);
  if (last === undefined) return { state: "failed", says: `it has no job ${LAST_JOB}: the project's variable HOMELAB_RUNNER is not true` };
  if (last.status === "success") return { state: "delivered", says: "success" };
  if (["failed", "canceled"].includes(last.status)) return { state: "failed", says: `${LAST_JOB}: ${last.status}` };
  return ["failed", "canceled"].includes(status) ? { state: "failed", says: status } : { state: "running", says: `${LAST_JOB}: ${last.status}` };
}

/** @param facts the homelab's project, and a token that may read its pipelines (scope `read_api`) */
export function gitlabDelivery(facts: Access & { project: string }, polite: PoliteFetch): DeliveryHost {
  const { Pipelines, Jobs } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
  const meaning = { 403: "the token may not read the pipelines: it needs the scope read_api", 404: "the project is not there, or the token does not see it" };
  const { options, asked } = gitlabClient(facts, polite, meaning);
  const [pipelines, jobs] = [new Pipelines(options), new Jobs(options)];
  const { project } = facts;
  const list = async (more: { sha?: string }): Promise<Pipeline[]> =>
    pipelinesSchema.parse(await pipelines.all(project, { ref: BRANCH, source: "push", perPage: LOOKED_AT, maxPages: 1, ...more }));
  return {
    where: `project ${project}`,
    runsWith: (commit, contains) =>
      asked("listing the pipelines", async () => {
        const listed = [...(await list({ sha: commit })), ...(await list({}))].map((pipeline) => ({ ...pipeline, number: pipeline.id }));
        const found: DeliveryRun[] = [];
        for (const pipeline of await having(listed, commit, contains)) {
          const state = gitlabState(pipeline, jobsSchema.parse(await jobs.all(project, { pipelineId: pipeline.id, perPage: LOOKED_AT, maxPages: 1 })));
          found.push({ number: pipeline.id, url: pipeline.web_url, ...state });
          if (state.state === "delivered") break;
        }
        return found;
      }),
  };
}

export interface Awaited {
  readonly host: DeliveryHost;
  readonly commit: string;
  readonly contains: Contains;
  /** How long to wait. */
  readonly minutes: number;
}

/**
 * Waits until a run that has the commit has delivered it.
 * @returns page of that run
 * @throws HomelabError E_DELIVERY where all such runs failed, or none ended in time
 */
export async function waitUntilDelivered({ host, commit, contains, minutes }: Awaited, clock: Clock, say: (text: string) => void): Promise<string> {
  const deadline = clock.now() + minutes * 60_000;
  const short = commit.slice(0, 12);
  let said: string | undefined;
  for (;;) {
    const runs = (await host.runsWith(commit, contains)).toSorted((a, b) => b.number - a.number);
    const done = runs.find(({ state }) => state === "delivered");
    if (done !== undefined) return done.url;
    const now = runs.map(({ url, says }) => `${url} (${says})`).join(", ");
    if (runs.length > 0 && runs.every(({ state }) => state === "failed"))
      throw new HomelabError("E_DELIVERY", `${short} was not delivered: ${now}`, {
        subject: host.where,
        hint: "see why there, and run this job again once it is mended",
      });
    if (clock.now() + PAUSE_MS > deadline)
      throw new HomelabError("E_DELIVERY", `${short} was not delivered within ${minutes} minutes: ${runs.length === 0 ? "no run has it" : now}`, {
        subject: host.where,
        hint: runs.length === 0 ? `see whether a push to ${BRANCH} starts it: one by a job's own token does not` : "see whether it waits for an approval",
      });
    if (now !== said) say(`${short}: ${now === "" ? `no run in ${host.where} has it yet` : now}\n`);
    said = now;
    await clock.sleep(PAUSE_MS);
  }
}
