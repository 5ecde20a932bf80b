/** Vault's access policies: what a text allows on which paths. Rules of matching: Vault's documentation, "Policies". */
import { HclError, type HclValue, parseHcl } from "./hcl";

export interface Rule {
  path: string;
  capabilities: string[];
}

/** A policy that Vault would take and the lab does not model; `what` names the part. */
export class NotModelled extends Error {}

const CAPABILITIES = new Set(["create", "read", "update", "delete", "list", "sudo", "deny", "patch", "subscribe", "recover"]);
const UNMODELLED = new Set([
  "allowed_parameters",
  "denied_parameters",
  "required_parameters",
  "min_wrapping_ttl",
  "max_wrapping_ttl",
  "control_group",
  "mfa_methods",
]);
/** The older form of a rule, from before there were capabilities. */
const LEGACY: Record<string, string[]> = {
  deny: ["deny"],
  read: ["read", "list"],
  write: ["create", "read", "update", "delete", "list", "patch"],
  sudo: ["create", "read", "update", "delete", "list", "patch", "sudo"],
};

function ruleOf(path: string, body: Record<string, HclValue>): Rule {
  if (path.includes("{{")) throw new NotModelled(`templated policy path "${path}"`);
  if (path.includes("+*")) throw new HclError(`path "${path}": invalid use of wildcards ('+*' is forbidden)`);
  for (const key of Object.keys(body)) {
    if (UNMODELLED.has(key)) throw new NotModelled(`${key} in a policy`);
    if (key !== "capabilities" && key !== "policy" && key !== "comment") throw new HclError(`1 error occurred:\n\t* path "${path}": invalid key "${key}"\n\n`);
  }
  const listed = body["capabilities"] ?? [];
  const capabilities = Array.isArray(listed) ? listed.map(String) : [String(listed)];
  for (const name of capabilities) if (!CAPABILITIES.has(name)) throw new HclError(`path "${path}": invalid capability "${name}"`);
  const legacy = body["policy"];
  if (legacy !== undefined && LEGACY[String(legacy)] === undefined) throw new HclError(`path "${path}": invalid policy "${String(legacy)}"`);
  return { path: path.replace(/^\/+/, ""), capabilities: [...capabilities, ...(LEGACY[String(legacy)] ?? [])] };
}

const isObject = (value: unknown): value is Record<string, HclValue> => typeof value === "object" && value !== null && !Array.isArray(value);

/** HCL or JSON. @throws HclError, NotModelled */
export function parsePolicy(text: string): Rule[] {
  const { attributes, blocks } = text.trim().startsWith("{") ? fromJson(text) : parseHcl(text);
  for (const key of Object.keys(attributes)) if (key !== "name" && key !== "path") throw new HclError(`invalid key "${key}"`);
  for (const { type } of blocks) if (type !== "path") throw new HclError(`invalid key "${type}"`);
  const paths = isObject(attributes["path"]) ? Object.entries(attributes["path"]) : [];
  return [...blocks.map(({ label, body }) => ruleOf(label, body)), ...paths.map(([path, body]) => ruleOf(path, isObject(body) ? body : {}))];
}

function fromJson(text: string): { attributes: Record<string, HclValue>; blocks: [] } {
  try {
    return { attributes: JSON.parse(text) as Record<string, HclValue>, blocks: [] };
  } catch (cause) {
    throw new HclError(`error parsing: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

const literal = (text: string): string => text.replace(/[.*?^${}()|[\]\\]/g, "\\$&");

const isWhole = (pattern: string): boolean => !pattern.endsWith("*") && !pattern.split("/").includes("+");

/** `+` stands for one part of a path, the empty one after a slash at its end too. */
function matches(pattern: string, path: string): boolean {
  const glob = pattern.endsWith("*");
  const body = (glob ? pattern.slice(0, -1) : pattern)
    .split("/")
    .map((part) => (part === "+" ? "[^/]*" : literal(part)))
    .join("/");
  return new RegExp(`^${body}${glob ? "" : "$"}`).test(path);
}

const firstWildcard = (pattern: string): number => {
  const at = pattern.search(/(?<=^|\/)\+(?=\/|$)|\*$/);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
};
const segments = (pattern: string): number => pattern.split("/").filter((part) => part === "+").length;

/** Which of two patterns that both match counts; positive: `a`. */
function priority(a: string, b: string): number {
  const [first, second] = [firstWildcard(a), firstWildcard(b)];
  if (first !== second) return first > second ? 1 : -1;
  if (a.endsWith("*") !== b.endsWith("*")) return a.endsWith("*") ? -1 : 1;
  if (segments(a) !== segments(b)) return segments(b) - segments(a);
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The capabilities on a path: those of the most specific pattern, over all policies. Empty: none, or denied.
 * @param path without a leading slash; a list's path ends in a slash
 */
export function capabilitiesOn(rules: readonly Rule[], path: string): string[] {
  const forms = path.endsWith("/") ? [path, path.slice(0, -1)] : [path];
  const whole = forms.map((form) => rules.filter((rule) => isWhole(rule.path) && rule.path === form));
  const patterns = forms.map((form) => rules.filter((rule) => !isWhole(rule.path) && matches(rule.path, form)));
  // A rule for the whole path comes before every pattern.
  const found = [...whole, ...patterns].find((candidates) => candidates.length > 0) ?? [];
  const best = found.reduce<string | undefined>((top, rule) => (top === undefined || priority(rule.path, top) > 0 ? rule.path : top), undefined);
  const all = new Set(found.filter((rule) => rule.path === best).flatMap((rule) => rule.capabilities));
  return all.has("deny") ? [] : [...all].sort();
}
