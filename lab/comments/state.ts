/** What both hosts of pull requests keep: one repository, its requests with their comments, and its issues. */

import type { GitData } from "./git-data";

/** The owner of a token, and what the token may do. */
export interface Account {
  readonly id: number;
  readonly login: string;
  /** `job`: the token that GitHub gives to a run. It may not request `/user`. */
  readonly kind: "job" | "person";
  readonly rights: "read" | "write";
}

export interface Comment {
  readonly id: number;
  body: string;
  readonly author: Account;
}

export interface PullRequest {
  readonly number: number;
  state: "open" | "closed";
  /** Commit at its head. */
  head: string;
  /** `owner:branch`. */
  readonly label: string;
  /** What it says; only of one that was opened by the API. */
  readonly title?: string;
  readonly body?: string;
  /** Nobody may comment. */
  locked: boolean;
  readonly comments: Comment[];
}

export interface Issue {
  readonly number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly author: Account;
}

/** A run of a workflow on GitHub, a pipeline on GitLab; all are of main. */
export interface Run {
  /** Counts up. GitLab: its id. */
  readonly number: number;
  readonly commit: string;
  /** In the host's words; GitHub's conclusion once it has ended. */
  status: string;
  /** GitLab: status by the job's name. */
  jobs: Record<string, string>;
}

export interface HostState {
  /** GitHub: `owner/name`; GitLab: the project's number. */
  readonly repository: string;
  readonly accounts: Map<string, Account>;
  /** Its branches and commits. */
  readonly git: GitData;
  readonly pulls: PullRequest[];
  nextComment: number;
  readonly issues: Issue[];
  nextIssue: number;
  /** Whether the repository has issues at all. */
  hasIssues: boolean;
  /** GitHub: file of the workflow whose runs these are. */
  readonly workflow: string;
  readonly runs: Run[];
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose account and path are known. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly account: Account | undefined;
  readonly body: unknown;
}

/** Both hosts give 100 entries a page at most, whatever is asked for. */
const LARGEST_PAGE = 100;

export interface Page<T> {
  readonly items: T[];
  readonly page: number;
  readonly perPage: number;
  readonly pages: number;
}

export function pageOf<T>(all: readonly T[], url: URL, fallback: number): Page<T> {
  const asked = Number(url.searchParams.get("per_page") ?? fallback);
  const perPage = Math.min(LARGEST_PAGE, Number.isInteger(asked) && asked > 0 ? asked : fallback);
  const page = Math.max(1, Number(url.searchParams.get("page") ?? 1) || 1);
  return { items: all.slice((page - 1) * perPage, page * perPage), page, perPage, pages: Math.max(1, Math.ceil(all.length / perPage)) };
}

/** `Link` as RFC 8288 has it, with what is next and what is last. */
export function linkHeader(url: URL, { page, perPage, pages }: Page<unknown>): Record<string, string> {
  const to = (number: number): string => {
    const target = new URL(url);
    target.searchParams.set("page", String(number));
    target.searchParams.set("per_page", String(perPage));
    return target.href;
  };
  return page >= pages ? {} : { link: `<${to(page + 1)}>; rel="next", <${to(pages)}>; rel="last"` };
}

/** The text of a request that writes a comment, or undefined. */
export function bodyOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("body" in value)) return undefined;
  return typeof value.body === "string" && value.body !== "" ? value.body : undefined;
}

/** Characters as Ruby counts them, on both hosts. */
export const charactersOf = (text: string): number => [...text].length;

const textIn = (value: object, name: string): string | undefined => {
  const text: unknown = Reflect.get(value, name);
  return typeof text === "string" ? text : undefined;
};

/** Fields of a request that writes an issue, as far as they are texts. @param body what the host calls the text of an issue */
export function issueFields(value: unknown, body: "body" | "description"): { title?: string; body?: string; state?: string } {
  if (typeof value !== "object" || value === null) return {};
  const [title, text, state] = [textIn(value, "title"), textIn(value, body), textIn(value, "state") ?? textIn(value, "state_event")];
  return { ...(title === undefined ? {} : { title }), ...(text === undefined ? {} : { body: text }), ...(state === undefined ? {} : { state }) };
}

/** The branches of a request that opens one: what is to be taken, and into which. @param from, into as the host calls them */
export function branchesIn(value: unknown, from: string, into: string): { from: string; into: string } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const [source, target] = [textIn(value, from), textIn(value, into)];
  return source === undefined || target === undefined ? undefined : { from: source, into: target };
}
