/** Newer versions of what is pinned, and which of them comes next. Pure. */
import * as semver from "semver";

export type UpgradePath =
  | { readonly by: "minor"; readonly why: string }
  | { readonly by: "steps"; readonly steps: readonly { readonly version: string; readonly why: string }[] };

export interface Newer {
  readonly newest: string;
  /** The version to go to first; undefined: the newest. */
  readonly next?: string;
  readonly why?: string;
}

const plain = (version: string): string => version.replace(/^v/, "");
const parsed = (version: string): semver.SemVer | undefined => semver.parse(plain(version), { loose: false }) ?? undefined;

/** Those after the pinned one, oldest first. Prereleases (`-rc.1`) count only where the pinned version is one. */
function after(pinned: string, versions: readonly string[]): string[] {
  const own = parsed(pinned);
  if (own === undefined) return [];
  return versions
    .flatMap((version) => {
      const one = parsed(version);
      return one !== undefined && semver.gt(one, own) && (one.prerelease.length === 0 || own.prerelease.length > 0) ? [{ version, one }] : [];
    })
    .toSorted((a, b) => semver.compare(a.one, b.one))
    .map(({ version }) => version);
}

/** @returns undefined where there is none */
export function newerThan(pinned: string, versions: readonly string[], path?: UpgradePath): Newer | undefined {
  const later = after(pinned, versions);
  const newest = later.at(-1);
  const own = parsed(pinned);
  if (newest === undefined || own === undefined) return undefined;
  if (path?.by === "minor") {
    const others = later.filter((version) => parsed(version)?.major !== own.major || parsed(version)?.minor !== own.minor);
    const [first] = others.map(parsed);
    // The newest patch of the first minor version after the pinned one.
    const next = others.findLast((version) => parsed(version)?.major === first?.major && parsed(version)?.minor === first?.minor) ?? newest;
    return next === newest ? { newest } : { newest, next, why: path.why };
  }
  if (path?.by === "steps") {
    const stop = path.steps.find(({ version }) => {
      const one = parsed(version);
      return one !== undefined && semver.gt(one, own) && semver.lt(one, parsed(newest) ?? one);
    });
    return stop === undefined ? { newest } : { newest, next: stop.version, why: stop.why };
  }
  return { newest };
}

/** Tags of the same form as the pinned one: `17.6-standard-bookworm` and `18.1-standard-bookworm`, as versions. */
export function sameForm(pinned: string, tags: readonly string[]): { pinned: string; versions: ReadonlyMap<string, string> } | undefined {
  const [, prefix, number, suffix] = /^(v?)(\d+(?:\.\d+){0,2})(.*)$/.exec(pinned) ?? [];
  if (prefix === undefined || number === undefined || suffix === undefined || (suffix !== "" && !suffix.startsWith("-"))) return undefined;
  const parts = number.split(".").length;
  const full = (text: string): string => [...text.split("."), "0", "0"].slice(0, 3).join(".");
  const escaped = suffix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const form = new RegExp(`^${prefix}(\\d+(?:\\.\\d+){${parts - 1}})${escaped}$`);
  return {
    pinned: full(number),
    versions: new Map(tags.flatMap((tag) => (form.exec(tag)?.[1] === undefined ? [] : [[full(form.exec(tag)?.[1] ?? ""), tag]]))),
  };
}
