/**
 * Merge requests and their notes as GitLab's API serves them (docs.gitlab.com/api: merge_requests, notes, users), and issues. What is not
 * here is answered 404 and noted.
 */
import { answerGit } from "./gitlab-git";
import { answerIssues } from "./gitlab-issues";
import { FORBIDDEN, message, NOT_FOUND, pageHeaders } from "./gitlab-replies";
import { answerPipelines } from "./runs";
import { bodyOf, branchesIn, type Call, type Comment, charactersOf, type HostState, issueFields, type PullRequest, pageOf, type Reply } from "./state";

const LIMIT = 1_000_000;

const noteJson = ({ id, body, author }: Comment) => ({ id, body, system: false, author: { id: author.id, username: author.login } });
const requestJson = (state: HostState, pull: PullRequest) => ({
  ...{ iid: pull.number, project_id: Number(state.repository), state: pull.state === "open" ? "opened" : "closed", sha: pull.head },
  ...{ references: { short: `!${pull.number}`, full: `group/homelab!${pull.number}` }, discussion_locked: pull.locked },
  ...{ title: pull.title ?? "", description: pull.body ?? null, source_branch: pull.label.split(":")[1] ?? "", target_branch: "main" },
  web_url: `https://gitlab.example/group/homelab/-/merge_requests/${pull.number}`,
});

/** Lists the merge requests of a project, the newest first, or opens one. */
function requests(call: Call, state: HostState): Reply | undefined {
  if (call.method === "GET") {
    const [wanted, branch] = [call.url.searchParams.get("state") ?? "all", call.url.searchParams.get("source_branch")];
    const found = state.pulls.filter(
      (pull) => (wanted === "all" || (wanted === "opened") === (pull.state === "open")) && (branch === null || pull.label === `group:${branch}`),
    );
    const page = pageOf(found.toReversed(), call.url, 20);
    return { status: 200, body: page.items.map((pull) => requestJson(state, pull)), headers: pageHeaders(call.url, page) };
  }
  if (call.method !== "POST") return undefined;
  if (call.account?.rights !== "write") return FORBIDDEN;
  const { title, body } = issueFields(call.body, "description");
  const branch = branchesIn(call.body, "source_branch", "target_branch");
  const head = branch === undefined ? undefined : state.git.branches.get(branch.from);
  if (title === undefined || branch === undefined || branch.into !== "main" || head === undefined) return message(400, "400 Bad request");
  const label = `group:${branch.from}`;
  if (state.pulls.some((pull) => pull.state === "open" && pull.label === label))
    return { status: 409, body: { message: ["Another open merge request already exists for this source branch"] } };
  const number = Math.max(0, ...state.pulls.map((pull) => pull.number)) + 1;
  const pull: PullRequest = { number, state: "open", head, label, locked: false, comments: [], title, body: body ?? "" };
  state.pulls.push(pull);
  return { status: 201, body: requestJson(state, pull) };
}

function written(call: Call, pull: PullRequest): { text: string } | Reply {
  if (call.account?.rights !== "write" || pull.locked) return FORBIDDEN;
  const text = bodyOf(call.body);
  if (text === undefined) return { status: 400, body: { error: "body is missing" } };
  return charactersOf(text) > LIMIT ? { status: 400, body: { message: { note: [`is too long (maximum is ${LIMIT} characters)`] } } } : { text };
}

function notes(call: Call, state: HostState, pull: PullRequest): Reply {
  if (call.method === "GET") {
    const ordered = call.url.searchParams.get("sort") === "asc" ? pull.comments : [...pull.comments].reverse();
    const page = pageOf(ordered, call.url, 20);
    return { status: 200, body: page.items.map(noteJson), headers: pageHeaders(call.url, page) };
  }
  if (call.method !== "POST" || call.account === undefined) return NOT_FOUND;
  const asked = written(call, pull);
  if ("status" in asked) return asked;
  const note: Comment = { id: state.nextComment++, body: asked.text, author: call.account };
  pull.comments.push(note);
  return { status: 201, body: noteJson(note) };
}

function oneNote(call: Call, pull: PullRequest, id: string): Reply {
  const note = pull.comments.find((one) => String(one.id) === id);
  if (note === undefined) return NOT_FOUND;
  if (call.method === "DELETE") {
    if (call.account?.rights !== "write") return FORBIDDEN;
    pull.comments.splice(pull.comments.indexOf(note), 1);
    return { status: 204 };
  }
  if (call.method !== "PUT") return NOT_FOUND;
  // Only its author changes a note.
  if (note.author.id !== call.account?.id) return FORBIDDEN;
  const asked = written(call, pull);
  if ("status" in asked) return asked;
  note.body = asked.text;
  return { status: 200, body: noteJson(note) };
}

/** @returns undefined for what is not modelled */
export function answerGitlab(call: Call, state: HostState): Reply | undefined {
  if (call.account === undefined) return message(401, "401 Unauthorized");
  const path = call.url.pathname.replace(/^\/api\/v4/, "");
  if (call.method === "GET" && path === "/user") return { status: 200, body: { id: call.account.id, username: call.account.login } };
  const runs = answerPipelines(call, state, path);
  if (runs !== undefined) return runs;
  const issues = answerIssues(call, state, path);
  if (issues !== undefined) return issues;
  const git = answerGit(call, state, path);
  if (git !== undefined) return git;
  if (path === `/projects/${state.repository}/merge_requests`) return requests(call, state);
  const [, project, iid, rest = ""] = /^\/projects\/(\d+)\/merge_requests\/(\d+)(\/.*)?$/.exec(path) ?? [];
  if (project === undefined) return undefined;
  const pull = state.pulls.find((one) => String(one.number) === iid);
  if (project !== state.repository || pull === undefined) return NOT_FOUND;
  if (rest === "" && call.method === "GET") return { status: 200, body: requestJson(state, pull) };
  if (rest === "/notes") return notes(call, state, pull);
  const [, id] = /^\/notes\/(\d+)$/.exec(rest) ?? [];
  return id === undefined ? undefined : oneNote(call, pull, id);
}
