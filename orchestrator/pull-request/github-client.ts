/** GitHub's own client, and what its answers mean. */
import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import { asError, HomelabError } from "../../common/errors";
import { HostError, hintFor, type Meaning } from "./host-error";
import type { PoliteFetch } from "./polite-fetch";

/** The account of a job's own token; that token may not ask who it is. */
const JOBS_ACCOUNT = "github-actions[bot]";
const MEANING: Meaning = {
  401: "the token is not accepted: it has expired, or is of another host",
  404: "what was asked for is not there, or the token does not see it",
  410: "it is gone",
  422: "GitHub does not take what was sent",
};

function asHostError(thrown: unknown, what: string, origin: string, meaning: Meaning): Error {
  if (thrown instanceof HomelabError) return thrown;
  const error = asError(thrown);
  const status = "status" in error && typeof error.status === "number" ? error.status : undefined;
  if (status === undefined) return new HostError(0, `${what}: ${origin} did not answer as GitHub's API does`, { cause: thrown });
  return new HostError(status, `${what}: ${origin} answered ${status}`, { cause: thrown, ...hintFor(status, meaning, MEANING) });
}

export interface GithubClient {
  readonly client: Octokit;
  /** @param ask what is asked; its failure becomes a HostError that says `what` was tried */
  asked<T>(what: string, ask: () => Promise<T>): Promise<T>;
  /** Checks the host's answer by the schema of what is used of it, which refuses a proxy's page. */
  checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T;
  /** Login of the token's account. */
  account(): Promise<string>;
}

/** @param meaning what a status means for these requests; it takes precedence over {@link MEANING} */
export function githubClient(facts: { api: string; token: string }, polite: PoliteFetch, meaning: Meaning): GithubClient {
  const { Octokit: Client } = require("@octokit/rest") as { Octokit: typeof Octokit };
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const client = new Client({ auth: facts.token, baseUrl: facts.api, request: { fetch: polite.fetch }, log: quiet });
  return {
    client,
    asked: async (what, ask) => {
      try {
        return await ask();
      } catch (thrown) {
        // The client turns what `fetch` throws into an error of its own, with the status 500.
        throw asHostError(polite.failure() ?? thrown, what, facts.api, meaning);
      }
    },
    checked: (schema, value, what) => {
      const parsed = schema.safeParse(value);
      if (!parsed.success) throw new HostError(0, `${what}: ${facts.api} did not answer as GitHub's API does`, { cause: parsed.error });
      return parsed.data;
    },
    account: async () => {
      try {
        const { data } = await client.rest.users.getAuthenticated();
        return z.object({ login: z.string() }).parse(data).login;
      } catch (thrown) {
        const error = asHostError(polite.failure() ?? thrown, "asking for the token's account", facts.api, meaning);
        if (error instanceof HostError && error.status === 403) return JOBS_ACCOUNT;
        throw error;
      }
    },
  };
}
