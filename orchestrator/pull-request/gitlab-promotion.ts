/** A branch with one commit, and a merge request of it, on GitLab (docs.gitlab.com/api: commits, branches, repository_files, merge_requests). */
import { z } from "zod";
import { gitlabClient } from "./gitlab-client";
import { orNone } from "./host-error";
import { BASE, type Change, type PromotionHost } from "./one-promotion";
import type { PoliteFetch } from "./polite-fetch";

const MEANING = {
  400: "GitLab does not take the branch or the merge request",
  403: "the token may not do that: it needs the scope api and the role Developer or higher",
  404: "the project is not there, or the token does not see it",
  409: "GitLab has a merge request of the branch already",
};

const branchSchema = z.object({ commit: z.object({ id: z.string() }) });
const fileSchema = z.object({ encoding: z.literal("base64"), content: z.string() });
const requestSchema = z.object({ web_url: z.string(), state: z.string() });

/** @param facts the homelab's project, and a token that may write to it */
export function gitlabPromotion(facts: { api: string; token: string; project: string }, polite: PoliteFetch): PromotionHost {
  const { Branches, Commits, MergeRequests, RepositoryFiles } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
  const { options, asked } = gitlabClient(facts, polite, MEANING);
  const { project } = facts;
  const [branches, commits, requests, files] = [new Branches(options), new Commits(options), new MergeRequests(options), new RepositoryFiles(options)];
  const textAt: PromotionHost["textAt"] = (branch, file) =>
    orNone(asked(`reading ${file}`, async () => Buffer.from(fileSchema.parse(await files.show(project, file, branch)).content, "base64").toString("utf8")));
  /** GitLab must be told for each file whether it exists already. */
  async function actions(change: Change) {
    const all: NonNullable<Parameters<typeof commits.create>[3]> = [];
    for (const [filePath, content] of change.files) {
      const before = await textAt(BASE, filePath);
      if (content === undefined) {
        if (before !== undefined) all.push({ action: "delete", filePath });
      } else all.push({ action: before === undefined ? "create" : "update", filePath, content });
    }
    return all;
  }
  return {
    where: `project ${project}`,
    headOf: (branch) => orNone(asked(`finding the branch ${branch}`, async () => branchSchema.parse(await branches.show(project, branch)).commit.id)),
    textAt,
    commit: async (change, base) => {
      const all = await actions(change);
      const { branch, title } = change;
      await asked(`committing to ${branch}`, async () => void (await commits.create(project, branch, title, all, { startSha: base, force: true })));
    },
    pulls: (branch) =>
      asked("listing the merge requests", async () => {
        const listed = await requests.all({ projectId: project, sourceBranch: branch, targetBranch: BASE, scope: "all", perPage: 100 });
        return z
          .array(requestSchema)
          .parse(listed)
          .map(({ web_url: url, state }) => ({ url, state: state === "opened" ? ("open" as const) : ("closed" as const) }));
      }),
    open: ({ branch, title, body }) =>
      asked("opening the merge request", async () => {
        await requests.create(project, branch, BASE, title, { description: body, removeSourceBranch: true });
      }),
  };
}
