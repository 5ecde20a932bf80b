/** Policies: HCL as people write it (or JSON) to rules, and what they allow. */
export interface Rule {
  path: string;
  capabilities: string[];
}

/** @throws Error for a text that is no policy */
export function parsePolicy(text: string): Rule[] {
  if (text.trim().startsWith("{")) {
    const parsed = JSON.parse(text) as { path?: Record<string, { capabilities?: string[] }> };
    return Object.entries(parsed.path ?? {}).map(([path, rule]) => ({ path, capabilities: rule.capabilities ?? [] }));
  }
  const plain = text.replace(/(#|\/\/).*$/gm, "");
  const rules = [...plain.matchAll(/path\s+"([^"]+)"\s*\{([^}]*)\}/g)].map(([, path = "", body = ""]) => ({
    path,
    capabilities: [...(/capabilities\s*=\s*\[([^\]]*)\]/.exec(body)?.[1] ?? "").matchAll(/"([a-z]+)"/g)].map(([, name = ""]) => name),
  }));
  if (plain.replace(/path\s+"[^"]+"\s*\{[^}]*\}/g, "").trim() !== "") throw new Error("failed to parse policy: unexpected text outside of path blocks");
  return rules;
}

const literal = (text: string): string => text.replace(/[.*?^${}()|[\]\\]/g, "\\$&");

function matches(pattern: string, path: string): boolean {
  const glob = pattern.endsWith("*");
  const body = (glob ? pattern.slice(0, -1) : pattern)
    .split("/")
    .map((part) => (part === "+" ? "[^/]+" : literal(part)))
    .join("/");
  return new RegExp(`^${body}${glob ? "" : "$"}`).test(path);
}

/** The capabilities that rules give on a path: of the most specific pattern. */
export function capabilitiesOn(rules: readonly Rule[], path: string): string[] {
  const found = rules.filter((rule) => matches(rule.path, path));
  if (found.length === 0) return [];
  const rank = (pattern: string): number => (pattern.endsWith("*") ? 0 : 10_000) + (pattern.includes("+") ? -5_000 : 0) + pattern.length;
  const best = Math.max(...found.map((rule) => rank(rule.path)));
  const all = new Set(found.filter((rule) => rank(rule.path) === best).flatMap((rule) => rule.capabilities));
  return all.has("deny") ? [] : [...all];
}
