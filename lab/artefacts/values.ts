/**
 * Which values a stand-in knows: the paths of its own values.yaml, everything below an empty map there, and the paths of known-values.txt with
 * everything below them. A value that is not known is refused as a strict schema of the chart would refuse it: the stand-in would ignore it.
 */
import { HomelabError } from "../../common/errors";

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const kindOf = (value: unknown): string => (Array.isArray(value) ? "array" : isMap(value) ? "object" : typeof value);

/** @param extra paths such as `resources.limits` */
function problems(defaults: unknown, given: unknown, path: readonly string[], extra: readonly string[]): string[] {
  const at = path.join(".");
  const where = `at '${path.map((part) => `/${part}`).join("")}'`;
  if (extra.includes(at) || given === null || given === undefined || defaults === null) return [];
  if (isMap(defaults) !== isMap(given) || Array.isArray(defaults) !== Array.isArray(given)) return [`${where}: got ${kindOf(given)}, want ${kindOf(defaults)}`];
  if (!isMap(defaults) || !isMap(given) || Object.keys(defaults).length === 0) return [];
  return Object.entries(given).flatMap(([key, value]) => {
    const below = [...path, key].join(".");
    const isKnown = Object.hasOwn(defaults, key) || extra.some((known) => known === below || known.startsWith(`${below}.`));
    return isKnown
      ? problems(defaults[key] ?? (isMap(value) ? {} : null), value, [...path, key], extra)
      : [`${where}: additional properties '${key}' not allowed`];
  });
}

/** Paths of known-values.txt. */
export const extraPaths = (text: string | undefined): string[] => (text ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));

/** @throws HomelabError E_CHART_VALUES in Helm's words, with every value that the stand-in does not know */
export function checkValues(chart: string, defaults: unknown, given: unknown, extra: readonly string[]): void {
  const found = problems(defaults, given, [], extra);
  if (found.length === 0) return;
  const list = found.map((problem) => `- ${problem}`).join("\n");
  throw new HomelabError("E_CHART_VALUES", `values don't meet the specifications of the schema(s) in the following chart(s):\n${chart}:\n${list}`, {
    subject: chart,
    hint: "the lab's stand-in lists the values that it knows in its values.yaml and known-values.txt",
  });
}

/** The same rule as a JSON schema, which a real helm that installs the stand-in enforces. */
export function schemaOf(defaults: unknown, extra: readonly string[], path: readonly string[] = []): Record<string, unknown> {
  if (extra.includes(path.join(".")) || defaults === null) return {};
  if (Array.isArray(defaults)) return { type: ["array", "null"] };
  if (!isMap(defaults)) return { type: ["string", "number", "boolean", "null"] };
  if (Object.keys(defaults).length === 0) return { type: ["object", "null"] };
  const prefix = path.length === 0 ? "" : `${path.join(".")}.`;
  const keys = new Set([
    ...Object.keys(defaults),
    ...extra.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length).split(".")[0] ?? ""),
  ]);
  // Helm adds `global` to the values of every chart.
  if (path.length === 0) keys.add("global");
  return {
    type: ["object", "null"],
    additionalProperties: false,
    properties: Object.fromEntries([...keys].map((key) => [key, Object.hasOwn(defaults, key) ? schemaOf(defaults[key], extra, [...path, key]) : {}])),
  };
}
