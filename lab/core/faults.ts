import type { FaultParameters, Faults } from "./world";

/** Every fault that a simulator takes, and the parameters that it reads; docs/lab.md says what each does. */
export const FAULTS = {
  "apt.install-failed": [],
  "apt.interrupted": [],
  "apt.lock-held": [],
  "apt.update-failed": [],
  "disk.full": [],
  "dns.failed": [],
  "gateway.refuse": [],
  "k3s.start-failed": ["message"],
  "kubeadm.bootstrap-failed": [],
  "kubeadm.init-failed": [],
  "kubernetes.conflict": [],
  "kubernetes.image-pull": [],
  "kubernetes.reply-lost": [],
  "kubernetes.unavailable": ["status"],
  "kubernetes.watch-cut": [],
  "kubernetes.webhook-denies": ["message"],
  "kubernetes.webhook-silent": [],
  "proxmox.clone-lock-timeout": [],
  "proxmox.reply-lost": [],
  "proxmox.task-failed": ["message"],
  "proxmox.unavailable": ["status", "message"],
  "s3.clock-skew": [],
  "s3.write-refused": [],
  "ssh.auth-failed": [],
  "ssh.cut": ["changes"],
  "ssh.disconnect": [],
  "ssh.restarting": [],
  "tls.expired": [],
  "vault.reply-lost": [],
  "vault.sealed": [],
  "vault.unavailable": ["status"],
  "vm.no-boot": [],
  "vm.reboot": ["changes"],
} as const satisfies Record<string, readonly string[]>;
export type FaultName = keyof typeof FAULTS;

/** A fault that waits for its moment. */
interface QueuedFault {
  name: FaultName;
  /** Only for this target; any when absent. */
  target?: string;
  parameters: FaultParameters;
  /** How many of its chances it still lets pass. */
  after: number;
}

export interface FaultQueue extends Faults {
  /**
   * @param times how often it strikes; default 1
   * @param after how many of its chances it lets pass first; default 0
   */
  queue(fault: { name: FaultName; target?: string; parameters?: FaultParameters; times?: number; after?: number }): void;
  waiting(): QueuedFault[];
  /** How often each fault could have struck since the lab began, whether one was queued or not; those that never could are not in it. */
  chances(): Partial<Record<FaultName, number>>;
  clear(): void;
}

export function createFaults(): FaultQueue {
  let queued: QueuedFault[] = [];
  const chances: Partial<Record<FaultName, number>> = {};
  return {
    queue: ({ name, target, parameters = {}, times = 1, after = 0 }) => {
      for (let i = 0; i < times; i++) queued.push({ name, ...(target === undefined ? {} : { target }), parameters, after: i === 0 ? after : 0 });
    },
    take: (name, target) => {
      chances[name] = (chances[name] ?? 0) + 1;
      const index = queued.findIndex((f) => f.name === name && (f.target === undefined || f.target === target));
      const found = queued[index];
      if (found === undefined) return undefined;
      if (found.after > 0) {
        found.after -= 1;
        return undefined;
      }
      queued.splice(index, 1);
      return found.parameters;
    },
    waiting: () => [...queued],
    chances: () => ({ ...chances }),
    clear: () => {
      queued = [];
    },
  };
}
