/** A branch with one commit, and a pull request of it, on GitHub (docs.github.com/rest: git, pulls, repos/contents). */
import { z } from "zod";
import { githubClient } from "./github-client";
import { orNone } from "./host-error";
import { BASE, type PromotionHost } from "./one-promotion";
import type { PoliteFetch } from "./polite-fetch";

const MEANING = {
  403: "the token may not do that: it needs `contents: write` and `pull-requests: write`; in a job of Actions the repository must also allow them: Settings → Actions → General",
  404: "the repository is not there, or the token does not see it",
  409: "the repository is empty",
  422: "GitHub does not take the branch or the pull request",
};

const refSchema = z.object({ object: z.object({ sha: z.string() }) });
const commitSchema = z.object({ sha: z.string(), tree: z.object({ sha: z.string() }) });
const treeSchema = z.object({ sha: z.string() });
const contentSchema = z.object({ encoding: z.literal("base64"), content: z.string() });
const pullSchema = z.object({ html_url: z.string(), state: z.enum(["open", "closed"]) });

/** A plain file of Git. */
const FILE = "100644" as const;

/** @param facts the homelab's repository, and a token that may write to it */
export function githubPromotion(facts: { api: string; token: string; owner: string; repo: string }, polite: PoliteFetch): PromotionHost {
  const { client, asked, checked } = githubClient(facts, polite, MEANING);
  const { owner, repo } = facts;
  const at = { owner, repo };
  const headOf: PromotionHost["headOf"] = (branch) =>
    orNone(
      asked(`finding the branch ${branch}`, async () => {
        const { data } = await client.rest.git.getRef({ ...at, ref: `heads/${branch}` });
        return checked(refSchema, data, `finding the branch ${branch}`).object.sha;
      }),
    );
  return {
    where: `${owner}/${repo}`,
    headOf,
    textAt: (branch, file) =>
      orNone(
        asked(`reading ${file}`, async () => {
          const { data } = await client.rest.repos.getContent({ ...at, path: file, ref: branch });
          return Buffer.from(checked(contentSchema, data, `reading ${file}`).content, "base64").toString("utf8");
        }),
      ),
    commit: ({ branch, title, files }, base) =>
      asked(`committing to ${branch}`, async () => {
        const check = <T>(schema: z.ZodType<T>, value: unknown): T => checked(schema, value, `committing to ${branch}`);
        const { tree } = check(commitSchema, (await client.rest.git.getCommit({ ...at, commit_sha: base })).data);
        const entries = [...files].map(([path, text]) => ({
          path,
          mode: FILE,
          type: "blob" as const,
          ...(text === undefined ? { sha: null } : { content: text }),
        }));
        const made = check(treeSchema, (await client.rest.git.createTree({ ...at, base_tree: tree.sha, tree: entries })).data);
        const commit = check(commitSchema, (await client.rest.git.createCommit({ ...at, message: title, tree: made.sha, parents: [base] })).data);
        // The commit becomes visible only here.
        if ((await headOf(branch)) === undefined) await client.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: commit.sha });
        else await client.rest.git.updateRef({ ...at, ref: `heads/${branch}`, sha: commit.sha, force: true });
      }),
    pulls: (branch) =>
      asked("listing the pull requests", async () => {
        const listed = await client.paginate(client.rest.pulls.list, { ...at, head: `${owner}:${branch}`, base: BASE, state: "all", per_page: 100 });
        return checked(z.array(pullSchema), listed, "listing the pull requests").map(({ html_url: url, state }) => ({ url, state }));
      }),
    open: ({ branch, title, body }) =>
      asked("opening the pull request", async () => void (await client.rest.pulls.create({ ...at, head: branch, base: BASE, title, body }))),
  };
}
