/**
 * The APIs of GitHub (at `/`) and GitLab (at `/api/v4`) for comments on pull requests, for issues, and for the results of runs of main, each
 * with one repository, over plain HTTP on 127.0.0.1. A test can ask for faults: an answer in place of the real one, or a cut connection; in
 * both cases the host may have carried the request out.
 */
import { createServer, type IncomingMessage } from "node:http";
import { decodedPath } from "../core/decoded-path";
import { requestUrl } from "../core/request-url";
import { listenOn } from "../core/server";
import { GitData } from "./git-data";
import { answerGithub } from "./github";
import { answerGitlab } from "./gitlab";
import type { Account, Call, HostState, PullRequest, Reply } from "./state";

export type { Account, Comment, Issue, PullRequest, Run } from "./state";

export interface Fault {
  readonly method: string;
  readonly path: RegExp;
  /** How many requests it is for; default 1. */
  readonly times?: number;
  /** Sent in place of the real answer. Undefined: the connection is cut. */
  readonly reply?: Reply;
  /** The host carries the request out; only its answer is lost. */
  readonly done?: true;
  /** Called before the request is answered, to change something as somebody else might. */
  readonly meanwhile?: () => void;
}

export interface CommentHosts {
  /** `http://127.0.0.1:<port>`: GitHub's API; GitLab's is at `/api/v4` of it. */
  readonly url: string;
  readonly github: HostState;
  readonly gitlab: HostState;
  /** All requests, as `GET /user 200`; 0 for a connection that was cut. */
  readonly requests: readonly string[];
  /** Paths that are not modelled. */
  readonly unhandled: readonly string[];
  /** Adds a request with no comments. */
  open(host: "github" | "gitlab", pull: { number: number; head: string; label: string }): PullRequest;
  fail(fault: Fault): void;
  stop(): Promise<void>;
}

/** Parameters that are modelled, some for one value. */
const QUERY = {
  github: ["page", "per_page", "state", "head", "base=main", "branch=main", "head_sha"],
  gitlab: ["page", "per_page", "sort", "order_by=created_at", "state", "scope=all", "ref=main", "source=push", "sha", "source_branch", "target_branch=main"],
} as const;
/** Paths of files, which any branch may have. */
const OF_FILE = /\/contents\/|\/repository\/files\//;

const newState = (repository: string): HostState => ({
  repository,
  accounts: new Map<string, Account>(),
  git: new GitData(),
  pulls: [],
  nextComment: 1_000,
  issues: [],
  nextIssue: 500,
  hasIssues: true,
  workflow: "up.yml",
  runs: [],
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** GitHub: `Authorization: token …` or `Bearer …`; GitLab: `Private-Token`, or `Bearer`. */
function tokenOf({ headers }: IncomingMessage): string {
  const own = headers["private-token"];
  return typeof own === "string" ? own : (headers.authorization ?? "").replace(/^(token|bearer) /i, "");
}

/** @param note gets what is not modelled */
function answerTo(call: Call, state: HostState, host: "github" | "gitlab", note: (what: string) => void): Reply {
  const asked = `${call.method} ${call.url.pathname}`;
  if (decodedPath(call.url.pathname) === undefined) return { status: 400, body: { message: "Bad Request" } };
  const known: readonly string[] = [...QUERY[host], ...(OF_FILE.test(call.url.pathname) ? ["ref"] : [])];
  const strange = [...call.url.searchParams].find(([name, value]) => !known.includes(name) && !known.includes(`${name}=${value}`))?.[0];
  if (strange !== undefined) {
    note(`${asked}: the parameter ${strange}`);
    return { status: 422, body: { message: `the parameter ${strange} is not modelled by the lab` } };
  }
  const reply = host === "gitlab" ? answerGitlab(call, state) : answerGithub(call, state);
  if (reply === undefined) note(asked);
  return reply ?? { status: 404, body: { message: "Not Found" } };
}

/** @param repository of GitHub: `owner/name`; @param project of GitLab: its number */
export async function startCommentHosts(repository: string, project: string): Promise<CommentHosts> {
  const [github, gitlab] = [newState(repository), newState(project)];
  const faults: { fault: Fault; left: number }[] = [];
  const requests: string[] = [];
  const unhandled: string[] = [];

  const faultFor = (method: string, path: string): Fault | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && fault.method === method && fault.path.test(path));
    if (found === undefined) return undefined;
    found.left--;
    found.fault.meanwhile?.();
    return found.fault;
  };
  const answer = (call: Call, state: HostState): Reply => answerTo(call, state, state === gitlab ? "gitlab" : "github", (what) => void unhandled.push(what));

  const server = createServer(async (request, response) => {
    const url = requestUrl(request);
    const method = request.method ?? "GET";
    const state = url.pathname.startsWith("/api/v4") ? gitlab : github;
    const call: Call = { method, url, account: state.accounts.get(tokenOf(request)), body: parsed(await textOf(request)) };
    const fault = faultFor(method, url.pathname);
    const isPassed = fault === undefined || fault.done === true || (fault.reply === undefined && fault.meanwhile !== undefined);
    const reply = isPassed ? answer(call, state) : undefined;
    const given = fault?.reply ?? (fault?.done || !isPassed ? undefined : reply);
    requests.push(`${method} ${url.pathname} ${given?.status ?? 0}`);
    if (given === undefined) {
      request.socket.destroy();
      return;
    }
    const { status, body, headers } = given;
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": typeof body === "string" ? "text/html" : "application/json; charset=utf-8", ...headers });
    response.end(text);
  });
  const port = await listenOn(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    github,
    gitlab,
    requests,
    unhandled,
    open: (host, { number, head, label }) => {
      const pull: PullRequest = { number, state: "open", head, label, locked: false, comments: [] };
      (host === "github" ? github : gitlab).pulls.push(pull);
      return pull;
    },
    fail: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
