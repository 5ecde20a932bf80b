/**
 * Pull requests and their comments as GitHub's API serves them (docs.github.com/rest: pulls, issues/comments, users), and issues. What is
 * not here is answered 404 and noted.
 */
import { answerGit } from "./github-git";
import { answerIssues } from "./github-issues";
import { answerWorkflowRuns } from "./runs";
import {
  bodyOf,
  branchesIn,
  type Call,
  type Comment,
  charactersOf,
  type HostState,
  issueFields,
  linkHeader,
  type PullRequest,
  pageOf,
  type Reply,
} from "./state";

const LIMIT = 65_536;
const message = (status: number, text: string): Reply => ({
  status,
  body: { message: text, documentation_url: "https://docs.github.com/rest", status: String(status) },
});
const NOT_FOUND = message(404, "Not Found");
const INTEGRATION = message(403, "Resource not accessible by integration");

const commentJson = ({ id, body, author }: Comment) => ({
  id,
  body,
  user: { id: author.id, login: author.login, type: author.kind === "job" ? "Bot" : "User" },
});
const pullJson = (pull: PullRequest, { repository }: HostState) => ({
  ...{ number: pull.number, state: pull.state, locked: pull.locked, head: { sha: pull.head, label: pull.label } },
  ...{ title: pull.title ?? "", body: pull.body ?? null, html_url: `https://github.com/${repository}/pull/${pull.number}` },
});

const tooLong: Reply = {
  status: 422,
  body: {
    message: "Validation Failed",
    errors: [{ resource: "IssueComment", code: "unprocessable", field: "data", message: `Body is too long (maximum is ${LIMIT} characters)` }],
  },
};

function written(call: Call, pull: PullRequest | undefined): { text: string } | Reply {
  if (call.account?.rights !== "write") return INTEGRATION;
  if (pull?.locked) return message(403, "Unable to create comment because issue is locked.");
  const text = bodyOf(call.body);
  if (text === undefined) return message(422, "Validation Failed");
  return charactersOf(text) > LIMIT ? tooLong : { text };
}

function comments(call: Call, state: HostState, number: string): Reply {
  const pull = state.pulls.find((one) => String(one.number) === number);
  if (pull === undefined || call.account === undefined) return NOT_FOUND;
  if (call.method === "GET") {
    const page = pageOf(pull.comments, call.url, 30);
    return { status: 200, body: page.items.map(commentJson), headers: linkHeader(call.url, page) };
  }
  if (call.method !== "POST") return NOT_FOUND;
  const asked = written(call, pull);
  if ("status" in asked) return asked;
  const comment: Comment = { id: state.nextComment++, body: asked.text, author: call.account };
  pull.comments.push(comment);
  return { status: 201, body: commentJson(comment) };
}

function oneComment(call: Call, state: HostState, id: string): Reply {
  const pull = state.pulls.find((one) => one.comments.some((comment) => String(comment.id) === id));
  const comment = pull?.comments.find((one) => String(one.id) === id);
  if (pull === undefined || comment === undefined) return NOT_FOUND;
  if (call.method === "DELETE") {
    if (call.account?.rights !== "write") return INTEGRATION;
    pull.comments.splice(pull.comments.indexOf(comment), 1);
    return { status: 204 };
  }
  if (call.method !== "PATCH") return NOT_FOUND;
  const asked = written(call, undefined);
  if ("status" in asked) return asked;
  comment.body = asked.text;
  return { status: 200, body: commentJson(comment) };
}

function pulls(call: Call, state: HostState): Reply {
  const [wanted, head] = [call.url.searchParams.get("state") ?? "open", call.url.searchParams.get("head")];
  const found = state.pulls.filter((pull) => (wanted === "all" || pull.state === wanted) && (head === null || pull.label === head));
  const page = pageOf(found, call.url, 30);
  return { status: 200, body: page.items.map((pull) => pullJson(pull, state)), headers: linkHeader(call.url, page) };
}

function openPull(call: Call, state: HostState): Reply {
  if (call.account?.rights !== "write") return INTEGRATION;
  const { title, body } = issueFields(call.body, "body");
  const branch = branchesIn(call.body, "head", "base");
  const head = branch === undefined ? undefined : state.git.branches.get(branch.from);
  if (title === undefined || branch === undefined || branch.into !== "main" || head === undefined) return message(422, "Validation Failed");
  const label = `${state.repository.split("/")[0]}:${branch.from}`;
  if (state.pulls.some((pull) => pull.state === "open" && pull.label === label))
    return { status: 422, body: { message: "Validation Failed", errors: [{ message: `A pull request already exists for ${label}.` }] } };
  if (head === state.git.branches.get("main"))
    return { status: 422, body: { message: "Validation Failed", errors: [{ message: `No commits between main and ${branch.from}` }] } };
  const pull: PullRequest = { number: state.nextIssue++, state: "open", head, label, locked: false, comments: [], title, body: body ?? "" };
  state.pulls.push(pull);
  return { status: 201, body: pullJson(pull, state) };
}

/** @returns undefined for what is not modelled */
export function answerGithub(call: Call, state: HostState): Reply | undefined {
  if (call.account === undefined) return message(401, "Bad credentials");
  if (call.method === "GET" && call.url.pathname === "/user")
    return call.account.kind === "job" ? INTEGRATION : { status: 200, body: { id: call.account.id, login: call.account.login, type: "User" } };
  const [, repository, rest = ""] = /^\/repos\/([^/]+\/[^/]+)\/(.*)$/.exec(call.url.pathname) ?? [];
  if (repository === undefined) return undefined;
  if (repository !== state.repository) return NOT_FOUND;
  const [, number] = /^issues\/(\d+)\/comments$/.exec(rest) ?? [];
  if (number !== undefined) return comments(call, state, number);
  const [, comment] = /^issues\/comments\/(\d+)$/.exec(rest) ?? [];
  if (comment !== undefined) return oneComment(call, state, comment);
  const runs = answerWorkflowRuns(call, state, rest);
  if (runs !== undefined) return runs;
  const issues = answerIssues(call, state, rest);
  if (issues !== undefined) return issues;
  const git = answerGit(call, state, rest);
  if (git !== undefined) return git;
  if (call.method === "POST" && rest === "pulls") return openPull(call, state);
  if (call.method !== "GET") return undefined;
  if (rest === "pulls") return pulls(call, state);
  const [, pullNumber] = /^pulls\/(\d+)$/.exec(rest) ?? [];
  if (pullNumber === undefined) return undefined;
  const pull = state.pulls.find((one) => String(one.number) === pullNumber);
  return pull === undefined ? NOT_FOUND : { status: 200, body: pullJson(pull, state) };
}
