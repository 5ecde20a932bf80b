/** Which module waits for which, and the order that follows. */
import type { ChosenModule, ClusterFacts } from "./platform-types";

/** Whether a module fulfils a need. */
export const provides = ({ module }: Pick<ChosenModule, "module">, need: string): boolean => module.name === need || module.provides.includes(need);

export interface Edges {
  /** Modules that are built before. */
  readonly before: ReadonlySet<string>;
  /** Those of them whose resources must all exist before any of the module's is made. */
  readonly whole: ReadonlySet<string>;
}

/** What each module waits for, in the order given. Nothing waits for what the cluster has by itself. */
export function edges(chosen: readonly ChosenModule[], cluster: ClusterFacts): Map<string, Edges> {
  const those = (test: (other: ChosenModule) => boolean): string[] => chosen.filter(test).map(({ module }) => module.name);
  return new Map(
    chosen.map(({ module, parts }) => {
      const whole = [
        ...[...parts.needs, ...parts.after].flatMap((need) => those((other) => provides(other, need))),
        ...parts.cluster.filter((wanted) => !cluster.capabilities.includes(wanted)).flatMap((wanted) => those((other) => other.module.brings.includes(wanted))),
        ...parts.storageClasses
          .filter((wanted) => !cluster.storageClasses.includes(wanted))
          .flatMap((wanted) => those((other) => other.parts.offers.storageClasses.includes(wanted))),
        ...parts.ingressClasses
          .filter((wanted) => !cluster.ingressClasses.includes(wanted))
          .flatMap((wanted) => those((other) => other.parts.offers.ingressClasses.includes(wanted))),
      ];
      const uses = [...parts.uses, ...(parts.hosts.some(({ route }) => route === "ingress") ? ["certificates"] : [])];
      const before = [...whole, ...uses.flatMap((need) => those((other) => provides(other, need)))];
      return [module.name, { before: new Set(before), whole: new Set(whole) }] as const;
    }),
  );
}

/** A cycle among modules that wait for each other. */
function findCycle(waits: ReadonlyMap<string, ReadonlySet<string>>, open: ReadonlySet<string>): string[] {
  const path: string[] = [];
  for (let at = [...open][0]; at !== undefined; at = [...(waits.get(at) ?? [])].find((name) => open.has(name))) {
    const start = path.indexOf(at);
    if (start >= 0) return [...path.slice(start), at];
    path.push(at);
  }
  return path;
}

/** Each after what it waits for; of several that could be next, the first one given. `cycle`: the one that prevents an order. */
export function inOrder(waits: ReadonlyMap<string, ReadonlySet<string>>): { order: string[]; cycle?: string[] } {
  const order: string[] = [];
  const open = new Set(waits.keys());
  while (open.size > 0) {
    const next = [...open].find((name) => [...(waits.get(name) ?? [])].every((other) => !open.has(other)));
    if (next === undefined) return { order, cycle: findCycle(waits, open) };
    order.push(next);
    open.delete(next);
  }
  return { order };
}
