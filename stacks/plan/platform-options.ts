/** Checks the row of the matrix with the schemas of its modules. */
import type { z } from "zod";
import { nearest } from "../../common/nearest";
import type { Module } from "../../components/platform/module";

type Issue = z.core.$ZodIssue;

/** Known keys at a path of a module's options: those of the default options. */
function keysAt(module: Module, path: readonly PropertyKey[]): string[] {
  const parsed = module.options.safeParse({});
  let node: unknown = "shape" in module.options && path.length === 0 ? module.options.shape : parsed.data;
  for (const key of path) node = typeof node === "object" && node !== null ? (node as Record<PropertyKey, unknown>)[key] : undefined;
  return typeof node === "object" && node !== null ? Object.keys(node) : [];
}

function issueText(module: Module, issue: Issue): string[] {
  const at = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return [`${at}: ${issue.message}`];
  const known = keysAt(module, issue.path);
  return issue.keys.map((key) => {
    const meant = nearest(key, known);
    const hint = meant === undefined ? (known.length === 0 ? "it has none" : `it has: ${known.join(", ")}`) : `did you mean "${meant}"?`;
    return `${[...issue.path.map(String), key].join(".")}: there is no such option; ${hint}`;
  });
}

/** The modules of the row in the order of the catalogue, with their options and defaults; and what is wrong with them. */
export function readOptions(environment: string, row: Readonly<Record<string, unknown>>, catalogue: readonly Module[]) {
  const known = catalogue.map(({ name }) => name);
  const problems = Object.keys(row)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      return `${environment}: there is no module "${name}"; ${meant === undefined ? `the modules are: ${known.join(", ")}` : `did you mean "${meant}"?`}`;
    });
  const chosen: { module: Module; options: unknown }[] = [];
  for (const module of catalogue) {
    const given = row[module.name];
    if (given === undefined) continue;
    const result = module.options.safeParse(given);
    if (result.success) chosen.push({ module, options: result.data });
    else problems.push(...result.error.issues.flatMap((issue) => issueText(module, issue)).map((text) => `${environment}: ${module.name}: ${text}`));
  }
  return { chosen, problems };
}
