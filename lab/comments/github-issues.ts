/** Issues as GitHub's API serves them (docs.github.com/rest/issues/issues); pull requests are listed among them, as on GitHub. */
import { type Call, charactersOf, type HostState, type Issue, issueFields, linkHeader, pageOf, type Reply } from "./state";

const LIMIT = 65_536;
/** Characters of a title. */
const TITLE_LIMIT = 256;
const message = (status: number, text: string): Reply => ({ status, body: { message: text } });

const issueJson = ({ number, title, body, state, author }: Issue) => ({
  ...{ number, title, body, state },
  user: { id: author.id, login: author.login, type: author.kind === "job" ? "Bot" : "User" },
});

/** What is wrong with the texts, or undefined. */
function refused({ title, body }: { title?: string; body?: string }): Reply | undefined {
  if (title === "" || charactersOf(title ?? "") > TITLE_LIMIT) return message(422, "Validation Failed");
  return charactersOf(body ?? "") > LIMIT ? message(422, `body is too long (maximum is ${LIMIT} characters)`) : undefined;
}

function list(call: Call, state: HostState): Reply {
  const wanted = call.url.searchParams.get("state") ?? "open";
  const issues = state.issues.filter((issue) => wanted === "all" || issue.state === wanted).map((issue) => ({ number: issue.number, json: issueJson(issue) }));
  const pulls = state.pulls
    .filter((pull) => wanted === "all" || pull.state === wanted)
    .map((pull) => ({
      number: pull.number,
      json: { number: pull.number, title: pull.label, body: null, state: pull.state, user: null, pull_request: { url: call.url.href } },
    }));
  // The newest first, as on GitHub.
  const page = pageOf(
    [...issues, ...pulls].sort((a, b) => b.number - a.number),
    call.url,
    30,
  );
  return { status: 200, body: page.items.map(({ json }) => json), headers: linkHeader(call.url, page) };
}

/** @param rest of the path, after the repository; @returns undefined for what is not modelled */
export function answerIssues(call: Call, state: HostState, rest: string): Reply | undefined {
  const found = /^issues(?:\/(\d+))?$/.exec(rest);
  if (found === null) return undefined;
  const number = found[1];
  if (!state.hasIssues) return message(410, "Issues has been disabled in this repository.");
  if (number === undefined && call.method === "GET") return list(call, state);
  if (call.account?.rights !== "write") return message(403, "Resource not accessible by integration");
  const given = issueFields(call.body, "body");
  const wrong = refused(given);
  if (number === undefined) {
    if (call.method !== "POST") return undefined;
    if (given.title === undefined) return message(422, "Validation Failed");
    if (wrong !== undefined) return wrong;
    const issue: Issue = { number: state.nextIssue++, title: given.title, body: given.body ?? "", state: "open", author: call.account };
    state.issues.push(issue);
    return { status: 201, body: issueJson(issue) };
  }
  if (call.method !== "PATCH") return undefined;
  const issue = state.issues.find((one) => String(one.number) === number);
  if (issue === undefined) return message(404, "Not Found");
  if (given.state !== undefined && given.state !== "open" && given.state !== "closed") return message(422, "Validation Failed");
  if (wrong !== undefined) return wrong;
  Object.assign(issue, given);
  return { status: 200, body: issueJson(issue) };
}
