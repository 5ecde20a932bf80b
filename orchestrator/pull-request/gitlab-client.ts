/** The client of GitLab's API, with our own `fetch`, and what its answers mean. */
import type { RequesterType, ResourceOptions } from "@gitbeaker/requester-utils";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { HostError, hintFor, type Meaning } from "./host-error";
import type { PoliteFetch } from "./polite-fetch";

const MEANING: Meaning = {
  400: "GitLab does not take what was sent",
  401: "the token is not accepted: it has expired, or is of another host",
  403: "the token may not do that: it needs the scope api and the role Reporter or higher",
  404: "what was asked for is not there, or the token does not see it",
};

const accountSchema = z.object({ id: z.number() });

/** A request as the client describes it. The client's own types do not declare it. */
interface Asked {
  prefixUrl: string;
  method: string;
  headers?: Record<string, string>;
  body?: string;
  searchParams?: string;
}

/** Sends the client's requests by our own `fetch`: the client's own repeats a request after a 502 even where that makes a second note. */
function requester(options: ResourceOptions, fetch: typeof globalThis.fetch, api: string): RequesterType {
  const utils = require("@gitbeaker/requester-utils") as typeof import("@gitbeaker/requester-utils");
  const send = utils.createRequesterFn(
    (_, request) => Promise.resolve(request),
    async (endpoint, request) => {
      const asked = request as unknown as Asked;
      const url = new URL(endpoint, `${asked.prefixUrl.replace(/\/*$/, "")}/`);
      url.search = asked.searchParams ?? "";
      const { method, headers, body } = asked;
      const response = await fetch(url, { method, ...(headers === undefined ? {} : { headers }), ...(body === undefined ? {} : { body }) });
      const text = await response.text();
      if (!response.ok) throw new HostError(response.status, `${api} answered ${response.status}`);
      return { status: response.status, headers: Object.fromEntries(response.headers), body: text === "" ? null : JSON.parse(text) };
    },
  );
  return send(options);
}

function asHostError(thrown: unknown, what: string, api: string, meaning: Meaning): Error {
  if (thrown instanceof HostError)
    return new HostError(thrown.status, `${what}: ${thrown.message}`, { cause: thrown, ...hintFor(thrown.status, meaning, MEANING) });
  if (thrown instanceof HomelabError) return thrown;
  return new HostError(0, `${what}: ${api} did not answer as GitLab's API does`, { cause: thrown });
}

export interface GitlabClient {
  /** For the client's resources. */
  readonly options: { host: string; token: string; requesterFn: (options: ResourceOptions) => RequesterType };
  /** @param ask what is asked; its failure becomes a HostError that says `what` was tried */
  asked<T>(what: string, ask: () => Promise<T>): Promise<T>;
  /** Number of the token's account. */
  account(): Promise<number>;
}

/** @param meaning what a status means for these requests */
export function gitlabClient(facts: { api: string; token: string }, { fetch }: PoliteFetch, meaning: Meaning): GitlabClient {
  const options: GitlabClient["options"] = {
    host: facts.api.replace(/\/api\/v4$/, ""),
    token: facts.token,
    requesterFn: (given) => requester(given, fetch, facts.api),
  };
  return {
    options,
    asked: async (what, ask) => {
      try {
        return await ask();
      } catch (thrown) {
        throw asHostError(thrown, what, facts.api, meaning);
      }
    },
    account: async () => {
      const { Users } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
      return accountSchema.parse(await new Users(options).showCurrentUser()).id;
    },
  };
}
