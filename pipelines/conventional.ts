/** Conventional commits, version 1.0.0 (conventionalcommits.org), with the types that this repository takes. */

/** The part of the version that a commit raises. Below 1.0.0, a breaking change raises the minor version. */
export type Level = "major" | "minor" | "patch" | "none";
export const TYPES: Readonly<Record<string, Level>> = {
  ...{ feat: "minor", fix: "patch", perf: "patch", refactor: "patch", revert: "patch" },
  ...{ docs: "patch", style: "patch", chore: "patch", build: "patch", ci: "none", test: "none" },
};

export interface ConventionalCommit {
  readonly type: string;
  readonly scope: string | undefined;
  readonly subject: string;
  /** What breaks, in the commit's words; undefined where nothing does. */
  readonly breaking: string | undefined;
}

const HEADER = /^(?<type>[A-Za-z]+)(?:\((?<scope>[^()\r\n]*)\))?(?<mark>!)?:(?<rest>.*)$/s;
const FOOTER = /^BREAKING[ -]CHANGE: (.*)$/m;
/** Refuses a capitalised verb or article at the beginning. Names such as Vault, Node or Pi-hole are written as they are. */
const SENTENCE =
  /^ (A|An|The|Add|Adds|Added|Fix|Fixes|Fixed|Remove|Removes|Removed|Update|Updates|Updated|Change|Changes|Make|Makes|Use|Uses|Move|Moves|Rename|Bump)\b/;

/** What is wrong with a first line, or undefined. */
export function problemOf(subject: string): string | undefined {
  const found = HEADER.exec(subject)?.groups;
  if (found === undefined) return "it does not begin as `type(scope): subject`";
  const { type = "", scope, rest = "" } = found;
  if (!Object.hasOwn(TYPES, type)) return `the type ${type} is none of ${Object.keys(TYPES).join(", ")}`;
  if (scope !== undefined && !/^[a-z0-9][a-z0-9./_-]*$/.test(scope)) return `the scope "${scope}" is no lower-case name`;
  if (!/^ \S/.test(rest)) return "after the colon come one blank and the subject";
  if (SENTENCE.test(rest)) return "the subject begins with a lower-case letter";
  if (rest.endsWith(".") && !rest.endsWith("..")) return "the subject ends with a full stop";
  return undefined;
}

/** A commit in its parts, or undefined where its first line is not conventional. */
export function parseCommit(subject: string, body: string): ConventionalCommit | undefined {
  if (problemOf(subject) !== undefined) return undefined;
  const { type = "", scope, mark, rest = "" } = HEADER.exec(subject)?.groups ?? {};
  const footer = FOOTER.exec(body)?.[1];
  return { type, scope, subject: rest.trim(), breaking: footer ?? (mark === undefined ? undefined : rest.trim()) };
}

const ORDER: readonly Level[] = ["none", "patch", "minor", "major"];

/** The part of the version that a commit raises. The commit of a release itself raises nothing. */
export function levelOf({ type, scope, breaking }: ConventionalCommit): Level {
  if (type === "chore" && scope === "release") return "none";
  return breaking === undefined ? (TYPES[type] ?? "none") : "major";
}

export const highest = (levels: readonly Level[]): Level => ORDER[Math.max(0, ...levels.map((level) => ORDER.indexOf(level)))] ?? "none";
