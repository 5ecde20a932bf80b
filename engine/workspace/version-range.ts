/**
 * Ranges of CLI versions, as `requiredPulumiVersion` and `requirePulumiVersion()` take them: those of Go's `blang/semver` and not npm's.
 * `>=3.5.0 !3.7.7` (both), `<3.4.0 || >3.8.0` (either), `3.x`, `>=3.10.x`; no caret, tilde or hyphen.
 */
import { compare, parse, type SemVer } from "semver";
import { ENGINE_VERSION } from "../../common/engine-version";
import { CliError } from "../errors";

type Test = (version: SemVer) => boolean;

const OPERATORS: Record<string, (order: number) => boolean> = {
  "": (order) => order === 0,
  "=": (order) => order === 0,
  "==": (order) => order === 0,
  "!": (order) => order !== 0,
  "!=": (order) => order !== 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

/** `3.x` and `3.4.x`: the first version of them, and the first one after them. */
function wildcard(text: string): [SemVer, SemVer] | undefined {
  const { major, minor } = /^(?<major>\d+)\.(?:x(?:\.x)?|(?<minor>\d+)\.x)$/.exec(text)?.groups ?? {};
  if (major === undefined) return undefined;
  const [first, next] = minor === undefined ? [`${major}.0.0`, `${Number(major) + 1}.0.0`] : [`${major}.${minor}.0`, `${major}.${Number(minor) + 1}.0`];
  const [from, to] = [parse(first), parse(next)];
  return from === null || to === null ? undefined : [from, to];
}

/** @returns undefined for what is no comparison */
function comparison(text: string): Test | undefined {
  const { operator = "", version = "" } = /^(?<operator>[<>=!]*)(?<version>.*)$/.exec(text)?.groups ?? {};
  const holds = OPERATORS[operator];
  if (holds === undefined) return undefined;
  const all = wildcard(version);
  if (all !== undefined) {
    const [from, to] = all;
    const order = (one: SemVer): number => (compare(one, from) < 0 ? -1 : compare(one, to) >= 0 ? 1 : 0);
    return (one) => holds(order(one));
  }
  const wanted = /^\d/.test(version) ? parse(version) : null;
  return wanted === null ? undefined : (one) => holds(compare(one, wanted));
}

/** @throws CliError for what is no range */
export function parseRange(range: string): (version: string) => boolean {
  // An operator may stand apart from its version.
  const alternatives = range.split("||").map((part) =>
    part
      .trim()
      .replace(/([<>=!])\s+/g, "$1")
      .split(/\s+/),
  );
  const tests = alternatives.map((texts) =>
    texts.map((text) => {
      const test = comparison(text);
      if (test === undefined)
        throw new CliError(`parsing CLI version range "${range}": "${text}" is no comparison with a version such as >=3.5.0, !3.7.7 or 3.x`);
      return test;
    }),
  );
  return (version) => {
    const parsed = parse(version);
    return parsed !== null && tests.some((all) => all.every((test) => test(parsed)));
  };
}

/** @param range empty: any version. @throws CliError if this engine's version (the CLI version that it follows) is outside the range */
export function requireVersion(range: string): void {
  if (range === "" || parseRange(range)(ENGINE_VERSION)) return;
  throw new CliError(`Pulumi CLI version ${ENGINE_VERSION.slice(1)} does not satisfy the version range "${range}"`);
}
