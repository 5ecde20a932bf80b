/** `stack graph`: dependencies and parents of the state, in the DOT language. */
import * as fs from "node:fs";
import { z } from "zod";
import { EXIT_CODE } from "../errors";
import type { Flags } from "./flags";
import { openStack } from "./stack-context";
import { print } from "./terminal";

const nodeSchema = z.looseObject({
  urn: z.string(),
  parent: z.string().optional(),
  dependencies: z.array(z.string()).nullish(),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** No passphrase is needed: only the shape of the state is looked at. */
export async function stackGraph(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const resources = z.array(nodeSchema).parse((await backend.load(project.name, stack))?.resources ?? []);
  const ids = new Map(resources.map(({ urn }, at) => [urn, `Resource${at}`]));
  const label = (urn: string): string => (flags.has("short-node-name") ? (urn.split("::").at(-1) ?? urn) : urn);
  const lines = [...ids].map(([urn, id]) => `    ${id} [label=${quoted(label(urn))}];`);
  const edge = (from: string, to: string, colour: string, why = ""): void => {
    const [a, b] = [ids.get(from), ids.get(to)];
    if (a !== undefined && b !== undefined) lines.push(`    ${a} -> ${b} [color=${quoted(colour)}${why === "" ? "" : `, label=${quoted(why)}`}];`);
  };
  for (const { urn, parent, dependencies, propertyDependencies } of resources) {
    const because = (need: string): string =>
      Object.entries(propertyDependencies ?? {})
        .filter(([, urns]) => urns?.includes(need))
        .map(([key]) => key)
        .sort()
        .join(", ");
    // From what is needed to what needs it; from a child to its parent.
    if (!flags.has("ignore-dependency-edges"))
      for (const need of dependencies ?? []) edge(need, urn, flags.text("dependency-edge-color") ?? "#246C60", because(need));
    if (!flags.has("ignore-parent-edges") && parent !== undefined) edge(urn, parent, flags.text("parent-edge-color") ?? "#AA6639");
  }
  const [file = ""] = flags.words;
  const fragment = flags.text("dot-fragment");
  fs.writeFileSync(file, `strict digraph {\n${fragment === undefined ? "" : `${fragment}\n`}${lines.join("\n")}\n}\n`);
  print(`Wrote stack dependency graph to \`${file}\``);
  return EXIT_CODE.ok;
}
