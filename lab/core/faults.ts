import type { FaultParameters, Faults } from "./world";

/** Every fault that a simulator takes, and the parameters that it reads; docs/lab.md says what each does. */
export const FAULTS = {
  "apt.install-failed": [],
  "apt.interrupted": [],
  "apt.lock-held": [],
  "apt.update-failed": [],
  "disk.full": [],
  "gateway.refuse": [],
  "k3s.start-failed": ["message"],
  "kubeadm.bootstrap-failed": [],
  "kubeadm.init-failed": [],
  "kubernetes.image-pull": [],
  "kubernetes.webhook-denies": ["message"],
  "kubernetes.webhook-silent": [],
  "proxmox.clone-lock-timeout": [],
  "proxmox.task-failed": ["message"],
  "proxmox.unavailable": ["status", "message"],
  "ssh.auth-failed": [],
  "ssh.cut": ["changes"],
  "ssh.disconnect": [],
  "vm.no-boot": [],
} as const satisfies Record<string, readonly string[]>;
export type FaultName = keyof typeof FAULTS;

/** A fault that waits for its moment. */
interface QueuedFault {
  name: FaultName;
  /** Only for this target; any when absent. */
  target?: string;
  parameters: FaultParameters;
}

export interface FaultQueue extends Faults {
  /** @param times how often it strikes; default 1 */
  queue(fault: { name: FaultName; target?: string; parameters?: FaultParameters; times?: number }): void;
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
