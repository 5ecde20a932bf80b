/** Comments of a pull request on GitHub, by its own client. */
import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import { asError, HomelabError } from "../../common/errors";
import { type CommentHost, HostError } from "./one-comment";
import type { PoliteFetch } from "./polite-fetch";
import type { GithubFacts } from "./run-facts";

/** The account of a job's own token; that token may not ask who it is. */
const JOBS_ACCOUNT = "github-actions[bot]";
const MEANING: Readonly<Record<number, string>> = {
  401: "the token is not accepted: it has expired, or is of another host",
  403: "the token may not do that: the job needs `permissions: pull-requests: write`",
  404: "the repository or pull request is not there, or the token does not see it",
  410: "it is gone",
  422: "GitHub does not take the comment",
};

function asHostError(thrown: unknown, what: string, origin: string): Error {
  if (thrown instanceof HomelabError) return thrown;
  const error = asError(thrown);
  const status = "status" in error && typeof error.status === "number" ? error.status : undefined;
  if (status === undefined) return new HostError(0, `${what}: ${origin} did not answer as GitHub's API does`, { cause: thrown });
  const hint = MEANING[status] ?? (status >= 500 ? "the host has a fault: run the job again later" : undefined);
  return new HostError(status, `${what}: ${origin} answered ${status}`, { cause: thrown, ...(hint === undefined ? {} : { hint }) });
}

const pullSchema = z.object({ number: z.number().int(), state: z.enum(["open", "closed"]), head: z.object({ sha: z.string() }) });
const commentSchema = z.object({ id: z.number().int(), body: z.string().nullish(), user: z.object({ login: z.string() }).nullish() });

/** What the host answered, as far as it is used here: a proxy's page is none of it. */
function checked<T>(schema: z.ZodType<T>, value: unknown, what: string, origin: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new HostError(0, `${what}: ${origin} did not answer as GitHub's API does`, { cause: parsed.error });
  return parsed.data;
}

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
  const { Octokit: Client } = require("@octokit/rest") as { Octokit: typeof Octokit };
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const client = new Client({ auth: facts.token, baseUrl: facts.api, request: { fetch: polite.fetch }, log: quiet });
  const { owner, repo } = facts;
  const asked = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (thrown) {
      // The client makes a status 500 of its own of what `fetch` throws.
      throw asHostError(polite.failure() ?? thrown, what, facts.api);
    }
  };

  const found = await asked("finding the pull request", async () => {
    const check = <T>(schema: z.ZodType<T>, value: unknown): T => checked(schema, value, "finding the pull request", facts.api);
    if (facts.number !== undefined) return check(pullSchema, (await client.rest.pulls.get({ owner, repo, pull_number: facts.number })).data);
    const listed = await client.paginate(client.rest.pulls.list, { owner, repo, head: facts.head, state: "all", per_page: 100 });
    const same = check(z.array(pullSchema), listed).filter(({ head }) => head.sha === facts.commit);
    return same.find(({ state }) => state === "open") ?? same[0];
  });
  if (found === undefined) return undefined;

  const account = async (): Promise<string> => {
    try {
      return (await client.rest.users.getAuthenticated()).data.login;
    } catch (thrown) {
      const error = asHostError(thrown, "asking whose the token is", facts.api);
      if (error instanceof HostError && error.status === 403) return JOBS_ACCOUNT;
      throw error;
    }
  };
  const issue = { owner, repo, issue_number: found.number };
  return {
    where: `${owner}/${repo}#${found.number}`,
    state: found.state,
    head: found.head.sha,
    list: () =>
      asked("listing the comments", async () => {
        const login = await account();
        const comments = checked(
          z.array(commentSchema),
          await client.paginate(client.rest.issues.listComments, { ...issue, per_page: 100 }),
          "listing the comments",
          facts.api,
        );
        return comments.map(({ id, body, user }) => ({ id, body: body ?? "", isOurs: user?.login === login }));
      }),
    create: (body) => asked("commenting", async () => void (await client.rest.issues.createComment({ ...issue, body }))),
    update: (id, body) => asked("updating the comment", async () => void (await client.rest.issues.updateComment({ owner, repo, comment_id: id, body }))),
    remove: (id) => asked("removing a second comment", async () => void (await client.rest.issues.deleteComment({ owner, repo, comment_id: id }))),
  };
}
