/** Comments of a pull request on GitHub, by its own client. */
import { z } from "zod";
import { githubClient } from "./github-client";
import type { CommentHost } from "./one-comment";
import type { PoliteFetch } from "./polite-fetch";
import type { GithubFacts } from "./run-facts";

const MEANING = {
  403: "the token may not do that: the job needs `permissions: pull-requests: write`",
  404: "the repository or pull request is not there, or the token does not see it",
  422: "GitHub does not take the comment",
};

const pullSchema = z.object({ number: z.number().int(), state: z.enum(["open", "closed"]), head: z.object({ sha: z.string() }) });
const commentSchema = z.object({ id: z.number().int(), body: z.string().nullish(), user: z.object({ login: z.string() }).nullish() });

export interface GithubPull extends CommentHost {
  readonly state: "open" | "closed";
  /** Commit that is its head now. */
  readonly head: string;
}

/**
 * The pull request of a run, or undefined where no pull request has that head any more.
 * @throws HostError for an answer that is no success; HomelabError where none came
 */
export async function findGithubPull(facts: GithubFacts, polite: PoliteFetch): Promise<GithubPull | undefined> {
  const { client, asked, checked, account } = githubClient(facts, polite, MEANING);
  const { owner, repo } = facts;
  const found = await asked("finding the pull request", async () => {
    const check = <T>(schema: z.ZodType<T>, value: unknown): T => checked(schema, value, "finding the pull request");
    if (facts.number !== undefined) return check(pullSchema, (await client.rest.pulls.get({ owner, repo, pull_number: facts.number })).data);
    const listed = await client.paginate(client.rest.pulls.list, { owner, repo, head: facts.head, state: "all", per_page: 100 });
    const same = check(z.array(pullSchema), listed).filter(({ head }) => head.sha === facts.commit);
    return same.find(({ state }) => state === "open") ?? same[0];
  });
  if (found === undefined) return undefined;
  const issue = { owner, repo, issue_number: found.number };
  return {
    where: `${owner}/${repo}#${found.number}`,
    state: found.state,
    head: found.head.sha,
    list: () =>
      asked("listing the comments", async () => {
        const login = await account();
        const listed = await client.paginate(client.rest.issues.listComments, { ...issue, per_page: 100 });
        const comments = checked(z.array(commentSchema), listed, "listing the comments");
        return comments.map(({ id, body, user }) => ({ id, body: body ?? "", isOurs: user?.login === login }));
      }),
    create: (body) => asked("commenting", async () => void (await client.rest.issues.createComment({ ...issue, body }))),
    update: (id, body) => asked("updating the comment", async () => void (await client.rest.issues.updateComment({ owner, repo, comment_id: id, body }))),
    remove: (id) => asked("removing a second comment", async () => void (await client.rest.issues.deleteComment({ owner, repo, comment_id: id }))),
  };
}
