/** What a release is, from commits: its version and its part of the changelog. */
import * as semver from "semver";
import { HomelabError } from "../common/errors";
import { type ConventionalCommit, highest, type Level, levelOf, parseCommit } from "./conventional";
import type { Commit } from "./git";

export interface Release {
  readonly version: string;
  /** Markdown, from its heading on. */
  readonly notes: string;
  /** First lines that are not conventional: they raise nothing and are in no section. */
  readonly unknown: readonly string[];
}

/** Headings in their order, by what belongs below them. */
const SECTIONS: readonly [string, (commit: ConventionalCommit) => boolean][] = [
  ["Breaking changes", ({ breaking }) => breaking !== undefined],
  ["Features", ({ type }) => type === "feat"],
  ["Fixes", ({ type }) => type === "fix" || type === "revert"],
  ["Performance", ({ type }) => type === "perf"],
  ["Other", ({ type }) => !["feat", "fix", "revert", "perf", "ci", "test"].includes(type)],
];

/**
 * The version after `current` (none yet: the first is `first`).
 * @throws HomelabError E_VERSION for a version that is none
 */
function versionAfter(current: string | undefined, first: string, level: Level): string | undefined {
  if (level === "none") return undefined;
  if (current === undefined) return first;
  // Below 1.0.0 a breaking change raises the minor version, as a feature does.
  const raised = level === "major" && semver.major(current) === 0 ? "minor" : level;
  const next = semver.inc(current, raised);
  if (next === null) throw new HomelabError("E_VERSION", `${current} is no version`);
  return next;
}

/** Text of somebody's commit as Markdown, without HTML and mentions. */
const plain = (text: string): string => text.replaceAll("<", "&lt;").replaceAll("@", "@\u200b");

function lineOf({ scope, subject, breaking }: ConventionalCommit, hash: string, isBreaking: boolean): string {
  return `- ${scope === undefined ? "" : `**${scope}:** `}${plain(isBreaking && breaking !== undefined ? breaking : subject)} (${hash.slice(0, 9)})`;
}

/** @param date as YYYY-MM-DD; @returns undefined where no commit calls for a release */
export function releaseFrom(commits: readonly Commit[], current: string | undefined, first: string, date: string): Release | undefined {
  const parsed = commits.map(({ hash, subject, body }) => ({ hash, subject, commit: parseCommit(subject, body) }));
  const known = parsed.flatMap(({ hash, commit }) => (commit === undefined ? [] : [{ hash, commit }]));
  const version = versionAfter(current, first, highest(known.map(({ commit }) => levelOf(commit))));
  if (version === undefined) return undefined;
  const listed = known.filter(({ commit }) => levelOf(commit) !== "none");
  const sections = SECTIONS.map(([title, belongs], i) => {
    const lines = listed.filter(({ commit }) => belongs(commit)).map(({ hash, commit }) => lineOf(commit, hash, i === 0));
    return lines.length === 0 ? "" : `\n### ${title}\n\n${lines.join("\n")}\n`;
  });
  return {
    version,
    notes: `## ${version} (${date})\n${sections.join("")}`,
    unknown: parsed.filter(({ commit }) => commit === undefined).map(({ subject }) => subject),
  };
}

const TITLE = "# Changelog\n";

/** The changelog with a release above those that it has. */
export function withRelease(changelog: string, { notes }: Release): string {
  const rest = changelog.startsWith(TITLE) ? changelog.slice(TITLE.length) : changelog === "" ? "" : `\n${changelog}`;
  return `${TITLE}\n${notes}${rest}`;
}
