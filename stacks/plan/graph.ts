import { findCycle } from "../../common/cycle";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { stackPlace } from "../load/source-lines";

interface Node {
  name: string;
  needs: readonly string[];
}

/**
 * Checks that every need names a stack, that no name is used twice and that there is no cycle.
 * @param root of the checkout, for the lines of site/stacks.ts
 * @throws HomelabError E_STACK_DUPLICATE, E_STACK_NEEDS (with the nearest name) or E_STACK_CYCLE (with the path)
 */
export function validateGraph(definitions: readonly Node[], root: string): void {
  const nodes = new Map<string, Node>();
  for (const definition of definitions) {
    if (nodes.has(definition.name)) {
      throw new HomelabError("E_STACK_DUPLICATE", `${stackPlace(root, definition.name)}two stacks are named "${definition.name}"`, {
        subject: definition.name,
        hint: "rename one of them",
      });
    }
    nodes.set(definition.name, definition);
  }
  for (const { name, needs } of definitions) {
    for (const need of needs) {
      if (nodes.has(need)) continue;
      const meant = nearest(need, [...nodes.keys()]);
      throw new HomelabError("E_STACK_NEEDS", `${stackPlace(root, name, "needs")}stack "${name}" needs "${need}", and there is no such stack`, {
        subject: name,
        hint: meant === undefined ? `the stacks are: ${[...nodes.keys()].join(", ")}` : `did you mean "${meant}"?`,
      });
    }
  }
  const cycle = findCycle(new Map(definitions.map(({ name, needs }) => [name, needs])));
  if (cycle) {
    throw new HomelabError("E_STACK_CYCLE", `${stackPlace(root, cycle[0] ?? "", "needs")}the stacks need each other in a circle: ${cycle.join(" → ")}`, {
      ...(cycle[0] === undefined ? {} : { subject: cycle[0] }),
      hint: "remove one of these needs",
    });
  }
}
