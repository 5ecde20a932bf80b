/**
 * Branches, trees, commits and files of a repository as GitHub's API serves them (docs.github.com/rest: git/refs, git/trees, git/commits,
 * repos/contents).
 */
import { z } from "zod";
import type { Call, HostState, Reply } from "./state";

const message = (status: number, text: string): Reply => ({ status, body: { message: text } });
const NOT_FOUND = message(404, "Not Found");
const INVALID = message(422, "Validation Failed");

const entrySchema = z.strictObject({
  path: z.string().min(1),
  mode: z.literal("100644"),
  type: z.literal("blob"),
  content: z.string().optional(),
  sha: z.null().optional(),
});
const treeSchema = z.strictObject({ base_tree: z.string(), tree: z.array(entrySchema).min(1) });
const commitSchema = z.strictObject({ message: z.string().min(1), tree: z.string(), parents: z.array(z.string()).length(1) });
const refSchema = z.strictObject({ ref: z.string().regex(/^refs\/heads\/.+/), sha: z.string() });
const moveSchema = z.strictObject({ sha: z.string(), force: z.boolean().default(false) });

const refJson = (branch: string, sha: string) => ({ ref: `refs/heads/${branch}`, object: { type: "commit", sha } });

function makeTree({ body }: Call, { git }: HostState): Reply {
  const given = treeSchema.safeParse(body);
  if (!given.success) return INVALID;
  const base = git.files(given.data.base_tree);
  if (base === undefined) return NOT_FOUND;
  const files = new Map(base);
  for (const { path, content } of given.data.tree) {
    if (content !== undefined) files.set(path, content);
    // A missing file cannot be deleted.
    else if (!files.delete(path)) return INVALID;
  }
  return { status: 201, body: { sha: git.tree(files) } };
}

function makeCommit({ body }: Call, { git }: HostState): Reply {
  const given = commitSchema.safeParse(body);
  if (!given.success) return INVALID;
  const { tree, parents, message: text } = given.data;
  const files = git.files(tree);
  if (files === undefined || parents.some((parent) => git.found(parent) === undefined)) return INVALID;
  return { status: 201, body: { sha: git.commit(files, parents[0], text), tree: { sha: tree } } };
}

function makeBranch({ body }: Call, { git }: HostState): Reply {
  const given = refSchema.safeParse(body);
  if (!given.success || git.found(given.data.sha) === undefined) return INVALID;
  const branch = given.data.ref.slice("refs/heads/".length);
  if (git.branches.has(branch)) return message(422, "Reference already exists");
  git.branches.set(branch, given.data.sha);
  return { status: 201, body: refJson(branch, given.data.sha) };
}

function moveBranch({ body }: Call, { git }: HostState, branch: string): Reply {
  const given = moveSchema.safeParse(body);
  if (!given.success || !git.branches.has(branch)) return message(422, "Reference does not exist");
  if (git.found(given.data.sha) === undefined) return message(422, "Object does not exist");
  if (!given.data.force && git.found(given.data.sha)?.parent !== git.branches.get(branch)) return message(422, "Update is not a fast forward");
  git.branches.set(branch, given.data.sha);
  return { status: 200, body: refJson(branch, given.data.sha) };
}

function read(call: Call, { git }: HostState, rest: string): Reply | undefined {
  const branch = /^git\/ref\/heads\/(.+)$/.exec(rest)?.[1];
  if (branch !== undefined) {
    const sha = git.branches.get(branch);
    return sha === undefined ? NOT_FOUND : { status: 200, body: refJson(branch, sha) };
  }
  const commit = /^git\/commits\/([0-9a-f]{40})$/.exec(rest)?.[1];
  if (commit !== undefined) {
    const found = git.found(commit);
    return found === undefined ? NOT_FOUND : { status: 200, body: { sha: commit, tree: { sha: found.tree }, message: found.message } };
  }
  const file = /^contents\/(.+)$/.exec(rest)?.[1];
  if (file === undefined) return undefined;
  const text = git.at(call.url.searchParams.get("ref") ?? "main")?.get(file);
  return text === undefined
    ? NOT_FOUND
    : { status: 200, body: { type: "file", path: file, encoding: "base64", content: Buffer.from(text).toString("base64") } };
}

/** @param rest of the path, after the repository; @returns undefined for what is not modelled */
export function answerGit(call: Call, state: HostState, rest: string): Reply | undefined {
  const path = decodeURIComponent(rest);
  if (call.method === "GET") return read(call, state, path);
  const moved = /^git\/refs\/heads\/(.+)$/.exec(path)?.[1];
  const writes: Readonly<Record<string, () => Reply>> = {
    "POST git/trees": () => makeTree(call, state),
    "POST git/commits": () => makeCommit(call, state),
    "POST git/refs": () => makeBranch(call, state),
  };
  const write = moved !== undefined && call.method === "PATCH" ? () => moveBranch(call, state, moved) : writes[`${call.method} ${path}`];
  if (write === undefined) return undefined;
  return call.account?.rights === "write" ? write() : message(403, "Resource not accessible by integration");
}
