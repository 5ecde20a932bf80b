/** Issues of a project on GitLab, by the client of its API. */
import { z } from "zod";
import { gitlabClient } from "./gitlab-client";
import type { IssueHost } from "./one-issue";
import type { PoliteFetch } from "./polite-fetch";
import type { GitlabRun } from "./run-facts";

const MEANING = {
  400: "GitLab does not take the issue",
  404: "the project is not there, its issues are turned off, or the token does not see it",
};

const issueSchema = z.object({ iid: z.number().int(), title: z.string(), description: z.string().nullish(), author: z.object({ id: z.number() }) });

export function gitlabIssues(facts: GitlabRun, polite: PoliteFetch): IssueHost {
  const { Issues } = require("@gitbeaker/rest") as typeof import("@gitbeaker/rest");
  const { options, asked, account } = gitlabClient(facts, polite, MEANING);
  const { project } = facts;
  const issues = new Issues(options);
  return {
    where: `project ${project}`,
    listOpen: () =>
      asked("listing the issues", async () => {
        const me = await account();
        const listed = await issues.all({ projectId: project, state: "opened", scope: "all", perPage: 100, sort: "asc", orderBy: "created_at" });
        const open = z.array(issueSchema).parse(listed);
        return open.map(({ iid, title, description, author }) => ({ id: iid, title, body: description ?? "", isOurs: author.id === me }));
      }),
    open: ({ title, body }) => asked("opening the issue", async () => void (await issues.create(project, title, { description: body }))),
    update: (id, { title, body }) => asked("updating the issue", async () => void (await issues.edit(project, id, { title, description: body }))),
    close: (id, { title, body }) =>
      asked("closing the issue", async () => void (await issues.edit(project, id, { title, description: body, stateEvent: "close" }))),
  };
}
