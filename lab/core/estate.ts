/** What of the homelab's outside is fixed: hardware, addresses and names that nobody builds. docs/lab.md shows it. */

export interface StorageSpec {
  name: string;
  type: "dir" | "lvmthin";
  content: readonly string[];
  totalGiB: number;
}

export interface NodeSpec {
  name: string;
  cores: number;
  sockets: number;
  cpu: string;
  memoryGiB: number;
  storages: readonly StorageSpec[];
}

const local = (totalGiB: number): StorageSpec => ({ name: "local", type: "dir", content: ["import", "iso", "vztmpl", "backup", "snippets"], totalGiB });
const thin = (name: string, totalGiB: number): StorageSpec => ({ name, type: "lvmthin", content: ["images", "rootdir"], totalGiB });

export const PROXMOX = {
  address: "192.168.1.248",
  port: 8006,
  names: ["192.168.1.248", "node01", "node02", "node03", "node01.fullstack.pw", "proxmox.fullstack.pw", "localhost", "127.0.0.1"],
  version: { version: "8.4.1", release: "8.4", repoid: "2a5fa54a8503f96d" },
} as const;

export const NODES: readonly NodeSpec[] = [
  {
    name: "node01",
    cores: 4,
    sockets: 1,
    cpu: "Intel(R) Core(TM) i7-4710HQ CPU @ 2.50GHz",
    memoryGiB: 16,
    storages: [local(94), thin("local-lvm", 350), thin("slowdata", 900)],
  },
  { name: "node02", cores: 4, sockets: 1, cpu: "Intel(R) Core(TM) i7-7700T CPU @ 2.90GHz", memoryGiB: 32, storages: [local(94), thin("local-lvm", 800)] },
  {
    name: "node03",
    cores: 36,
    sockets: 2,
    cpu: "Intel(R) Xeon(R) CPU E5-2699 v3 @ 2.30GHz",
    memoryGiB: 128,
    storages: [local(94), thin("local-lvm", 1700), thin("data2", 1800)],
  },
];

/** kubectl's context for the cluster that a host brings up. Others keep their host's name without `k8s-`. */
const CONTEXTS: Readonly<Record<string, string>> = {
  "k8s-tools": "tools",
  "k8s-observability": "observability",
  "k8s-home": "home",
  "k8s-sandbox-01": "sandboxy",
  "k8s-dev": "dev",
  "k8s-stg": "stg",
  "k8s-prod": "prod",
};

export const contextOf = (hostname: string): string => CONTEXTS[hostname] ?? hostname.replace(/^k8s-/, "");

/** Whether a target is one of the homelab's own: when it is down that is a fact, and not a gap of the lab. */
export function isHomelabTarget(host: string): boolean {
  return /^192\.168\.1\.\d+$/.test(host) || host === "fullstack.pw" || host.endsWith(".fullstack.pw");
}
