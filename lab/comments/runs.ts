/**
 * Runs of a workflow as GitHub's API serves them (docs.github.com/rest/actions/workflow-runs), pipelines and their jobs as GitLab's does
 * (docs.gitlab.com/api: pipelines, jobs): only to be read, all of the branch main.
 */
import { NOT_FOUND, pageHeaders } from "./gitlab-replies";
import { type Call, type HostState, linkHeader, pageOf, type Reply, type Run } from "./state";

/** GitHub's statuses of a run that has not ended. Every other word is the conclusion of one that has. */
const UNDER_WAY = new Set(["queued", "in_progress", "waiting", "pending", "requested"]);

const newestFirst = (runs: readonly Run[], commit: string | null): Run[] =>
  runs.filter((run) => commit === null || run.commit === commit).toSorted((a, b) => b.number - a.number);

/** @param rest of the path, after the repository; @returns undefined for what is not modelled */
export function answerWorkflowRuns(call: Call, state: HostState, rest: string): Reply | undefined {
  const [, workflow] = /^actions\/workflows\/([\w.-]+)\/runs$/.exec(rest) ?? [];
  if (workflow === undefined || call.method !== "GET") return undefined;
  if (workflow !== state.workflow) return { status: 404, body: { message: "Not Found" } };
  const found = newestFirst(state.runs, call.url.searchParams.get("head_sha"));
  const page = pageOf(found, call.url, 30);
  const workflowRuns = page.items.map(({ number, commit, status }) => ({
    ...{
      id: number + 100,
      run_number: number,
      head_sha: commit,
      head_branch: "main",
      html_url: `https://github.com/${state.repository}/actions/runs/${number}`,
    },
    ...(UNDER_WAY.has(status) ? { status, conclusion: null } : { status: "completed", conclusion: status }),
  }));
  return { status: 200, body: { total_count: found.length, workflow_runs: workflowRuns }, headers: linkHeader(call.url, page) };
}

/** @param path below `/api/v4`; @returns undefined for what is not modelled */
export function answerPipelines(call: Call, state: HostState, path: string): Reply | undefined {
  const [, project, number] = /^\/projects\/(\d+)\/pipelines(?:\/(\d+)\/jobs)?$/.exec(path) ?? [];
  if (project === undefined || call.method !== "GET") return undefined;
  if (project !== state.repository) return NOT_FOUND;
  if (number === undefined) {
    const page = pageOf(newestFirst(state.runs, call.url.searchParams.get("sha")), call.url, 20);
    const pipelines = page.items.map(({ number: id, commit, status }) => ({
      ...{ id, status, sha: commit, ref: "main", source: "push", web_url: `https://gitlab.example/group/homelab/-/pipelines/${id}` },
    }));
    return { status: 200, body: pipelines, headers: pageHeaders(call.url, page) };
  }
  const run = state.runs.find((one) => String(one.number) === number);
  if (run === undefined) return NOT_FOUND;
  const page = pageOf(Object.entries(run.jobs), call.url, 20);
  return { status: 200, body: page.items.map(([name, status]) => ({ name, status })), headers: pageHeaders(call.url, page) };
}
