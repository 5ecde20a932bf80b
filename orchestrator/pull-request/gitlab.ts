/** Notes of a merge request on GitLab, by the client of its API. */
import type { RequesterType, ResourceOptions } from "@gitbeaker/requester-utils";
import { z } from "zod";
import { HomelabError } from "../../common/errors";
import { type CommentHost, HostError } from "./one-comment";
import type { PoliteFetch } from "./polite-fetch";
import type { GitlabFacts } from "./run-facts";

const MEANING: Readonly<Record<number, string>> = {
  401: "the token is not accepted: it has expired, or is of another host",
  403: "the token may not do that: it needs the scope api and the role Reporter or higher",
  404: "the project or merge request is not there, or the token does not see it",
  400: "GitLab does not take the note",
};

/** A request as the client describes it; its types leave out what they are. */
interface Asked {
  prefixUrl: string;
  method: string;
  headers?: Record<string, string>;
  body?: string;
  searchParams?: string;
}

/** What the client asks, by our own `fetch`: its own tries 502 again also where that makes a second note. */
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
      const isJson = (response.headers.get("content-type") ?? "").includes("json");
      if (text !== "" && !isJson) throw new HostError(0, `${api} did not answer as GitLab's API does`);
      return { status: response.status, headers: Object.fromEntries(response.headers), body: text === "" ? null : JSON.parse(text) };
    },
  );
  return send(options);
}

function asHostError(thrown: unknown, what: string, api: string): Error {
  if (thrown instanceof HostError) {
    const hint = MEANING[thrown.status] ?? (thrown.status >= 500 ? "the host has a fault: run the job again later" : undefined);
    return new HostError(thrown.status, `${what}: ${thrown.message}`, { cause: thrown, ...(hint === undefined ? {} : { hint }) });
  }
  if (thrown instanceof HomelabError) return thrown;
  return new HostError(0, `${what}: ${api} did not answer as GitLab's API does`, { cause: thrown });
}

const requestSchema = z.object({ state: z.string(), sha: z.string(), references: z.object({ full: z.string() }).optional() });
const noteSchema = z.object({ id: z.number().int(), body: z.string(), system: z.boolean().optional(), author: z.object({ id: z.number() }) });
const accountSchema = z.object({ id: z.number() });

export interface GitlabMergeRequest extends CommentHost {
  readonly state: "open" | "closed";
  readonly head: string;
}

/** @throws HostError for an answer that is no success; HomelabError where none came */
export async function findMergeRequest(facts: GitlabFacts, { fetch }: PoliteFetch): Promise<GitlabMergeRequest> {
  const { MergeRequestNotes, MergeRequests, Users } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
  const options = {
    host: facts.api.replace(/\/api\/v4$/, ""),
    token: facts.token,
    requesterFn: (given: ResourceOptions) => requester(given, fetch, facts.api),
  };
  const asked = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (thrown) {
      throw asHostError(thrown, what, facts.api);
    }
  };
  const { project, iid } = facts;
  const found = await asked("finding the merge request", async () => requestSchema.parse(await new MergeRequests(options).show(project, iid)));
  const notes = new MergeRequestNotes(options);
  return {
    where: found.references?.full ?? `project ${project} !${iid}`,
    state: found.state === "opened" ? "open" : "closed",
    head: found.sha,
    list: () =>
      asked("listing the notes", async () => {
        const me = accountSchema.parse(await new Users(options).showCurrentUser());
        const all = z.array(noteSchema).parse(await notes.all(project, iid, { perPage: 100, sort: "asc", orderBy: "created_at" }));
        return all.filter(({ system }) => system !== true).map(({ id, body, author }) => ({ id, body, isOurs: author.id === me.id }));
      }),
    create: (body) => asked("commenting", async () => void (await notes.create(project, iid, body))),
    update: (id, body) => asked("updating the note", async () => void (await notes.edit(project, iid, id, { body }))),
    remove: (id) => asked("removing a second note", async () => void (await notes.remove(project, iid, id))),
  };
}
