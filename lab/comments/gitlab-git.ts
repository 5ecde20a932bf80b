/** Branches, commits and files of a project as GitLab's API serves them (docs.gitlab.com/api: branches, commits, repository_files). */
import { z } from "zod";
import { FORBIDDEN, message, NOT_FOUND } from "./gitlab-replies";
import type { Call, HostState, Reply } from "./state";

const actionSchema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.enum(["create", "update"]), file_path: z.string().min(1), content: z.string() }),
  z.strictObject({ action: z.literal("delete"), file_path: z.string().min(1) }),
]);
const commitSchema = z.strictObject({
  branch: z.string().min(1),
  commit_message: z.string().min(1),
  actions: z.array(actionSchema).min(1),
  start_sha: z.string(),
  force: z.boolean().default(false),
});

function commit({ body, account }: Call, { git }: HostState): Reply {
  if (account?.rights !== "write") return FORBIDDEN;
  const given = commitSchema.safeParse(body);
  if (!given.success) return message(400, `400 Bad request: ${given.error.issues[0]?.path.join(".")} is not modelled, or wrong`);
  const { branch, commit_message: text, actions, start_sha: start, force } = given.data;
  const base = git.found(start);
  if (base === undefined) return message(400, "Cannot find start_sha");
  if (git.branches.has(branch) && !force) return message(400, `A branch called '${branch}' already exists. Switch to that branch in order to make changes`);
  const files = new Map(base.files);
  for (const action of actions) {
    const there = files.has(action.file_path);
    if (action.action === "create" && there) return message(400, "A file with this name already exists");
    if (action.action !== "create" && !there) return message(400, "A file with this name doesn't exist");
    if (action.action === "delete") files.delete(action.file_path);
    else files.set(action.file_path, action.content);
  }
  const sha = git.commit(files, start, text);
  git.branches.set(branch, sha);
  return { status: 201, body: { id: sha, short_id: sha.slice(0, 8), title: text } };
}

/** @param path after `/api/v4`; @returns undefined for what is not modelled */
export function answerGit(call: Call, state: HostState, path: string): Reply | undefined {
  const [, project, kind, name] = /^\/projects\/(\d+)\/repository\/(branches|commits|files)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (project === undefined) return undefined;
  if (project !== state.repository) return NOT_FOUND;
  if (kind === "commits" && name === undefined && call.method === "POST") return commit(call, state);
  if (call.method !== "GET" || name === undefined || kind === "commits") return undefined;
  const wanted = decodeURIComponent(name);
  if (kind === "branches") {
    const sha = state.git.branches.get(wanted);
    return sha === undefined ? message(404, "404 Branch Not Found") : { status: 200, body: { name: wanted, commit: { id: sha } } };
  }
  const text = state.git.at(call.url.searchParams.get("ref") ?? "")?.get(wanted);
  if (text === undefined) return message(404, "404 File Not Found");
  return { status: 200, body: { file_path: wanted, encoding: "base64", content: Buffer.from(text).toString("base64") } };
}
