import { findCycle } from "../../common/cycle";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import type { GRAPH_FORMATS } from "../cli/flags";

/** One stack as the program declares it (stacks/describe.ts). */
export interface StackNode {
  name: string;
  /** Stacks whose outputs it reads. */
  needs: readonly string[];
  description: string;
  /** Every change of it must be approved explicitly. */
  production?: true | undefined;
  /** Applications whose objects Argo CD makes. */
  deliveredByArgoCd?: readonly string[] | undefined;
  /** Applications whose objects the program makes where an Argo CD makes those of others; `argoCdOf`: the stack that it runs in. */
  besideArgoCd?: { readonly argoCdOf: string; readonly apps: readonly string[] } | undefined;
  /** The command that saves what the stack holds, word by word. */
  backup?: readonly string[] | undefined;
}

/** The stacks and their needs, checked: every need exists, and there is no cycle. */
export class StackGraph {
  readonly #nodes: ReadonlyMap<string, StackNode>;

  constructor(nodes: readonly StackNode[]) {
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    for (const node of nodes) {
      for (const need of node.needs) {
        if (!this.#nodes.has(need)) {
          throw new HomelabError("E_STACK_NEEDS", `stack ${node.name} needs ${need}, which does not exist`, {
            subject: node.name,
            hint: `known stacks: ${[...this.#nodes.keys()].join(", ")}`,
          });
        }
      }
    }
    this.#refuseCycles();
  }

  /** Names in the order of the declarations. */
  names(): string[] {
    return [...this.#nodes.keys()];
  }

  node(name: string): StackNode {
    const node = this.#nodes.get(name);
    if (node === undefined) {
      const meant = nearest(name, this.names());
      const all = this.names().join(", ");
      throw new HomelabError("E_STACK_UNKNOWN", `there is no stack ${name}`, {
        subject: name,
        hint: meant === undefined ? `use one of: ${all}` : `did you mean ${meant}? The stacks are: ${all}`,
      });
    }
    return node;
  }

  /** The given stacks and, transitively, all that they need. */
  withNeeds(names: readonly string[]): Set<string> {
    const found = new Set<string>();
    const visit = (name: string): void => {
      if (found.has(name)) return;
      found.add(name);
      for (const need of this.node(name).needs) visit(need);
    };
    for (const name of names) visit(name);
    return found;
  }

  /** The given stacks and, transitively, all that need them. */
  withDependents(names: readonly string[]): Set<string> {
    const found = new Set<string>();
    const visit = (name: string): void => {
      if (found.has(name)) return;
      found.add(name);
      for (const node of this.#nodes.values()) if (node.needs.includes(name)) visit(node.name);
    };
    for (const name of names) visit(this.node(name).name);
    return found;
  }

  /** Direct needs, without those that another need already implies: the edges that a drawing shows. */
  reducedNeeds(name: string): string[] {
    const needs = this.node(name).needs;
    return needs.filter((need) => !needs.some((other) => other !== need && this.withNeeds([other]).has(need)));
  }

  #refuseCycles(): void {
    const cycle = findCycle(new Map([...this.#nodes].map(([name, { needs }]) => [name, needs])));
    if (cycle === undefined) return;
    throw new HomelabError("E_STACK_CYCLE", `the stacks need each other in a circle: ${cycle.join(" → ")}`, {
      subject: cycle[0] ?? "",
      hint: "remove one of these needs in site/stacks.ts",
    });
  }
}

export type GraphFormat = (typeof GRAPH_FORMATS)[number];

/** The graph as text. Edges point from a stack to those that come after it. */
export function renderGraph(graph: StackGraph, format: GraphFormat): string {
  const edges = graph.names().flatMap((to) => graph.reducedNeeds(to).map((from) => [from, to] as const));
  switch (format) {
    case "mermaid":
      return ["graph LR", ...graph.names().map((name) => `  ${name}`), ...edges.map(([from, to]) => `  ${from} --> ${to}`)].join("\n");
    case "dot":
      return [
        "digraph homelab {",
        "  rankdir=LR;",
        ...graph.names().map((n) => `  "${n}";`),
        ...edges.map(([from, to]) => `  "${from}" -> "${to}";`),
        "}",
      ].join("\n");
    case "json":
      return JSON.stringify({ version: 1, stacks: graph.names().map((name) => graph.node(name)) }, null, 2);
  }
}
