/** Posts a comment on the pull request that this run of CI is about, and opens or closes the issue of a run that is about none. */

import { HomelabError } from "../../common/errors";
import type { Session } from "../cli/session";
import { findGithubPull } from "./github";
import { githubIssues } from "./github-issues";
import { findMergeRequest } from "./gitlab";
import { gitlabIssues } from "./gitlab-issues";
import { type CommentHost, postOneComment } from "./one-comment";
import { closeIssues, type IssueHost, type IssueText, openOneIssue } from "./one-issue";
import { atHost, type PoliteFetch } from "./polite-fetch";
import { type GithubFacts, type GitlabFacts, githubFacts, githubRun, gitlabFacts, gitlabRun, type RunFacts } from "./run-facts";

interface Pull extends CommentHost {
  readonly state: "open" | "closed";
  readonly head: string;
}

type WithHost = RunFacts & { readonly api: string; readonly token: string };

async function post<F extends WithHost>(
  session: Session,
  facts: F,
  find: (facts: F, polite: PoliteFetch) => Promise<Pull | undefined>,
  marker: string,
  render: (run: RunFacts) => string,
): Promise<void> {
  await atHost(session, facts, async (polite) => {
    const body = render(facts);
    const pull = await find(facts, polite);
    // A newer push has a preview of its own, and this one is out of date.
    if (pull === undefined || (pull.state === "open" && pull.head !== facts.commit)) {
      session.out(`${facts.commit} is the head of no pull request any more: nothing is posted\n`);
      return;
    }
    if (pull.state === "closed") throw new HomelabError("E_PULL_CLOSED", `${pull.where} is closed: nothing is posted`, { subject: pull.where });
    const done = await postOneComment(pull, marker, body);
    session.out(`the comment on ${pull.where} is ${done}\n`);
  });
}

type Post = (session: Session, marker: string, render: (run: RunFacts) => string) => Promise<void>;

/** @throws HomelabError naming what is missing, what the host answered, or that the pull request is closed */
export const postOnGithub: Post = (session, marker, render) => post<GithubFacts>(session, githubFacts(), findGithubPull, marker, render);
export const postOnGitlab: Post = (session, marker, render) => post<GitlabFacts>(session, gitlabFacts(), findMergeRequest, marker, render);

/** The text of the issue, and whether it must be open: whether something is left to be done. */
export interface IssueOfRun extends IssueText {
  readonly open: boolean;
}

async function settle<F extends WithHost>(
  session: Session,
  facts: F,
  hostOf: (facts: F, polite: PoliteFetch) => IssueHost,
  marker: string,
  render: (run: RunFacts) => IssueOfRun,
): Promise<void> {
  await atHost(session, facts, async (polite) => {
    const { open, ...text } = render(facts);
    const host = hostOf(facts, polite);
    if (open) session.out(`the issue in ${host.where} is ${await openOneIssue(host, marker, text)}\n`);
    else session.out((await closeIssues(host, marker, text)) > 0 ? `the issue in ${host.where} is closed\n` : `no issue in ${host.where} is open\n`);
  });
}

type Settle = (session: Session, marker: string, render: (run: RunFacts) => IssueOfRun) => Promise<void>;

/** @throws HomelabError naming what is missing, or what the host answered */
export const settleOnGithub: Settle = (session, marker, render) => settle(session, githubRun(), githubIssues, marker, render);
export const settleOnGitlab: Settle = (session, marker, render) => settle(session, gitlabRun(), gitlabIssues, marker, render);
