import type { FaultParameters, Faults } from "./world";

/** A fault that waits for its moment. */
interface QueuedFault {
  name: string;
  /** Only for this target; any when absent. */
  target?: string;
  parameters: FaultParameters;
}

export interface FaultQueue extends Faults {
  /** @param times how often it strikes; default 1 */
  queue(fault: { name: string; target?: string; parameters?: FaultParameters; times?: number }): void;
  waiting(): QueuedFault[];
  clear(): void;
}

export function createFaults(): FaultQueue {
  let queued: QueuedFault[] = [];
  return {
    queue: ({ name, target, parameters = {}, times = 1 }) => {
      for (let i = 0; i < times; i++) queued.push(target === undefined ? { name, parameters } : { name, target, parameters });
    },
    take: (name, target) => {
      const index = queued.findIndex((f) => f.name === name && (f.target === undefined || f.target === target));
      return index < 0 ? undefined : queued.splice(index, 1)[0]?.parameters;
    },
    waiting: () => [...queued],
    clear: () => {
      queued = [];
    },
  };
}
