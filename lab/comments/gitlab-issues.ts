/** Issues of a project as GitLab's API serves them (docs.gitlab.com/api/issues). */
import { FORBIDDEN, NOT_FOUND, pageHeaders } from "./gitlab-replies";
import { type Call, charactersOf, type HostState, type Issue, issueFields, pageOf, type Reply } from "./state";

/** Characters of a description and of a title (docs.gitlab.com/api/issues). */
const [LIMIT, TITLE_LIMIT] = [1_048_576, 255];

const issueJson = (state: HostState, { number, title, body, state: standing, author }: Issue) => ({
  ...{ iid: number, project_id: Number(state.repository), title, description: body },
  ...{ state: standing === "open" ? "opened" : "closed", author: { id: author.id, username: author.login } },
});

function list(call: Call, state: HostState): Reply {
  const wanted = call.url.searchParams.get("state");
  const found = state.issues.filter((issue) => wanted === null || (wanted === "opened") === (issue.state === "open"));
  const page = pageOf(call.url.searchParams.get("sort") === "asc" ? found : [...found].reverse(), call.url, 20);
  return { status: 200, body: page.items.map((issue) => issueJson(state, issue)), headers: pageHeaders(call.url, page) };
}

/** @param path after `/api/v4`; @returns undefined for what is not modelled */
export function answerIssues(call: Call, state: HostState, path: string): Reply | undefined {
  const [, project, iid] = /^\/projects\/(\d+)\/issues(?:\/(\d+))?$/.exec(path) ?? [];
  if (project === undefined) return undefined;
  if (project !== state.repository || !state.hasIssues) return NOT_FOUND;
  if (iid === undefined && call.method === "GET") return list(call, state);
  if (call.account?.rights !== "write") return FORBIDDEN;
  const { title, body, state: event } = issueFields(call.body, "description");
  if (charactersOf(title ?? "") > TITLE_LIMIT) return { status: 400, body: { message: { title: [`is too long (maximum is ${TITLE_LIMIT} characters)`] } } };
  if (charactersOf(body ?? "") > LIMIT) return { status: 400, body: { message: { description: [`is too long (maximum is ${LIMIT} characters)`] } } };
  if (iid === undefined) {
    if (call.method !== "POST") return undefined;
    if (title === undefined || title === "") return { status: 400, body: { error: "title is missing" } };
    const issue: Issue = { number: state.nextIssue++, title, body: body ?? "", state: "open", author: call.account };
    state.issues.push(issue);
    return { status: 201, body: issueJson(state, issue) };
  }
  if (call.method !== "PUT") return undefined;
  const issue = state.issues.find((one) => String(one.number) === iid);
  if (issue === undefined) return NOT_FOUND;
  if (event !== undefined && event !== "close" && event !== "reopen") return { status: 400, body: { error: "state_event does not have a valid value" } };
  Object.assign(issue, title === undefined ? {} : { title }, body === undefined ? {} : { body });
  if (event !== undefined) issue.state = event === "close" ? "closed" : "open";
  return { status: 200, body: issueJson(state, issue) };
}
