/** Issues of a repository on GitHub, by its own client. */
import { z } from "zod";
import { githubClient } from "./github-client";
import type { IssueHost } from "./one-issue";
import type { PoliteFetch } from "./polite-fetch";
import type { GithubRun } from "./run-facts";

const MEANING = {
  403: "the token may not do that: the job needs `permissions: issues: write`",
  404: "the repository is not there, or the token does not see it",
  410: "the repository has its issues turned off: Settings → General → Features",
  422: "GitHub does not take the issue",
};

const issueSchema = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
  /** The host lists pull requests among the issues. */
  pull_request: z.object({}).loose().optional(),
});

export function githubIssues(facts: GithubRun, polite: PoliteFetch): IssueHost {
  const { client, asked, checked, account } = githubClient(facts, polite, MEANING);
  const { owner, repo } = facts;
  const at = { owner, repo };
  return {
    where: `${owner}/${repo}`,
    listOpen: () =>
      asked("listing the issues", async () => {
        const login = await account();
        const listed = await client.paginate(client.rest.issues.listForRepo, { ...at, state: "open", per_page: 100 });
        return checked(z.array(issueSchema), listed, "listing the issues")
          .filter((issue) => issue.pull_request === undefined)
          .map(({ number, title, body, user }) => ({ id: number, title, body: body ?? "", isOurs: user?.login === login }));
      }),
    open: (text) => asked("opening the issue", async () => void (await client.rest.issues.create({ ...at, ...text }))),
    update: (id, text) => asked("updating the issue", async () => void (await client.rest.issues.update({ ...at, issue_number: id, ...text }))),
    close: (id, text) =>
      asked("closing the issue", async () => {
        await client.rest.issues.update({ ...at, issue_number: id, ...text, state: "closed", state_reason: "completed" });
      }),
  };
}
