/** Notes of a merge request on GitLab, by the client of its API. */
import { z } from "zod";
import { gitlabClient } from "./gitlab-client";
import type { CommentHost } from "./one-comment";
import type { PoliteFetch } from "./polite-fetch";
import type { GitlabFacts } from "./run-facts";

const MEANING = {
  400: "GitLab does not take the note",
  404: "the project or merge request is not there, or the token does not see it",
};

const requestSchema = z.object({ state: z.string(), sha: z.string(), references: z.object({ full: z.string() }).optional() });
const noteSchema = z.object({ id: z.number().int(), body: z.string(), system: z.boolean().optional(), author: z.object({ id: z.number() }) });

export interface GitlabMergeRequest extends CommentHost {
  readonly state: "open" | "closed";
  readonly head: string;
}

/** @throws HostError for an answer that is no success; HomelabError where none came */
export async function findMergeRequest(facts: GitlabFacts, polite: PoliteFetch): Promise<GitlabMergeRequest> {
  const { MergeRequestNotes, MergeRequests } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
  const { options, asked, account } = gitlabClient(facts, polite, MEANING);
  const { project, iid } = facts;
  const found = await asked("finding the merge request", async () => requestSchema.parse(await new MergeRequests(options).show(project, iid)));
  const notes = new MergeRequestNotes(options);
  return {
    where: found.references?.full ?? `project ${project} !${iid}`,
    state: found.state === "opened" ? "open" : "closed",
    head: found.sha,
    list: () =>
      asked("listing the notes", async () => {
        const me = await account();
        const all = z.array(noteSchema).parse(await notes.all(project, iid, { perPage: 100, sort: "asc", orderBy: "created_at" }));
        return all.filter(({ system }) => system !== true).map(({ id, body, author }) => ({ id, body, isOurs: author.id === me }));
      }),
    create: (body) => asked("commenting", async () => void (await notes.create(project, iid, body))),
    update: (id, body) => asked("updating the note", async () => void (await notes.edit(project, iid, id, { body }))),
    remove: (id) => asked("removing a second note", async () => void (await notes.remove(project, iid, id))),
  };
}
