/** Posts a comment on the pull request that this run of CI is about. */

import { HomelabError } from "../../common/errors";
import type { Session } from "../cli/session";
import { findGithubPull } from "./github";
import { findMergeRequest } from "./gitlab";
import { type CommentHost, postOneComment } from "./one-comment";
import { createPoliteFetch, type PoliteFetch } from "./polite-fetch";
import { type GithubFacts, type GitlabFacts, githubFacts, gitlabFacts, type RunFacts } from "./run-facts";

interface Pull extends CommentHost {
  readonly state: "open" | "closed";
  readonly head: string;
}

async function post<F extends RunFacts & { api: string; token: string }>(
  session: Session,
  facts: F,
  find: (facts: F, polite: PoliteFetch) => Promise<Pull | undefined>,
  marker: string,
  render: (run: RunFacts) => string,
): Promise<void> {
  session.redactor.register(facts.token);
  const body = render(facts);
  const polite = createPoliteFetch(facts.api, session.clock, session.err);
  try {
    const pull = await find(facts, polite);
    // A newer push has a preview of its own: what this one says is no longer so.
    if (pull === undefined || (pull.state === "open" && pull.head !== facts.commit)) {
      session.out(`${facts.commit} is the head of no pull request any more: nothing to say\n`);
      return;
    }
    if (pull.state === "closed") throw new HomelabError("E_PULL_CLOSED", `${pull.where} is closed: nothing is posted`, { subject: pull.where });
    const done = await postOneComment(pull, marker, body);
    session.out(`the comment on ${pull.where} is ${done}\n`);
  } finally {
    await polite.close();
  }
}

type Post = (session: Session, marker: string, render: (run: RunFacts) => string) => Promise<void>;

/** @throws HomelabError naming what is missing, what the host answered, or that the pull request is closed */
export const postOnGithub: Post = (session, marker, render) => post<GithubFacts>(session, githubFacts(), findGithubPull, marker, render);
export const postOnGitlab: Post = (session, marker, render) => post<GitlabFacts>(session, gitlabFacts(), findMergeRequest, marker, render);
