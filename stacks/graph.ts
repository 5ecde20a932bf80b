import { HomelabError } from "../common/errors";
import { nearest } from "../common/nearest";
import type { StackName } from "./outputs";
import type { StackProgram } from "./program";

/**
 * One environment as the rest of the project sees it: what it is, what it needs, and the function that builds it.
 * Holds no Pulumi code, so that `describe` reads the graph without loading the SDK.
 */
export interface StackDefinition<N extends StackName = StackName, D extends StackName = StackName> {
  name: N;
  description: string;
  /** The stacks whose outputs the program may read, and that are up before it. */
  needs: readonly D[];
  /** The VMs it owns: names of files in stacks/inventory/vms/. */
  vms: readonly string[];
  /** Entries of secrets/ that the program uses; it gets no others. `all`: it puts them into Vault. */
  secrets: readonly string[] | "all";
  /** Loads the program's module; called only when the stack runs. Its context gives the outputs of `needs` and no others. */
  program: () => StackProgram<N, NoInfer<D>>;
}

/** A definition with what it reads forgotten: what a list of all stacks holds. */
export type AnyStackDefinition = Omit<StackDefinition, "program"> & { program: () => unknown };

/** Declares a stack; the compiler holds its program to the declared needs. */
export function defineStack<const N extends StackName, const D extends StackName>(definition: StackDefinition<N, D>): StackDefinition<N, D> {
  return definition;
}

type Node = Pick<AnyStackDefinition, "name" | "needs"> | { name: string; needs: readonly string[] };

/** The first cycle as a path that ends where it starts, or undefined. */
function findCycle(nodes: ReadonlyMap<string, Node>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    const start = path.indexOf(name);
    if (start >= 0) return [...path.slice(start), name];
    if (done.has(name)) return undefined;
    for (const need of nodes.get(name)?.needs ?? []) {
      const cycle = visit(need, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of nodes.keys()) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/**
 * Checks that every need names a stack, that no name is used twice and that there is no cycle.
 * @throws HomelabError E_STACK_DUPLICATE, E_STACK_UNKNOWN (with the nearest name) or E_STACK_CYCLE (with the path)
 */
export function validateGraph(definitions: readonly Node[]): void {
  const nodes = new Map<string, Node>();
  for (const definition of definitions) {
    if (nodes.has(definition.name)) {
      throw new HomelabError("E_STACK_DUPLICATE", `two stacks are named "${definition.name}"`, { subject: definition.name, hint: "rename one of them" });
    }
    nodes.set(definition.name, definition);
  }
  for (const { name, needs } of definitions) {
    for (const need of needs) {
      if (nodes.has(need)) continue;
      const meant = nearest(need, [...nodes.keys()]);
      throw new HomelabError("E_STACK_UNKNOWN", `stack "${name}" needs "${need}", and there is no such stack`, {
        subject: name,
        hint: meant === undefined ? `the stacks are: ${[...nodes.keys()].join(", ")}` : `did you mean "${meant}"?`,
      });
    }
  }
  const cycle = findCycle(nodes);
  if (cycle) {
    throw new HomelabError("E_STACK_CYCLE", `the stacks need each other in a circle: ${cycle.join(" → ")}`, {
      ...(cycle[0] === undefined ? {} : { subject: cycle[0] }),
      hint: "remove one of these needs in stacks/definitions.ts",
    });
  }
}
