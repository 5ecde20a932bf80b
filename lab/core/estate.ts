/** What of the homelab's outside is fixed: hardware, addresses and names that nobody builds. docs/lab.md shows it. */

/** Where a node has room: a file system, or a pool of logical volumes. */
export interface PlaceSpec {
  /** `/var/lib/vz` or `pve/data`: volume group and thin pool. */
  place: string;
  totalGiB: number;
}

export interface NodeSpec {
  name: string;
  /** On its bridge vmbr0, with prefix. */
  cidr: string;
  cores: number;
  sockets: number;
  cpu: string;
  memoryGiB: number;
  /** Physical network ports; the first is in vmbr0. */
  ports: readonly string[];
  /** Its root file system. */
  rootGiB: number;
  thinPools: readonly PlaceSpec[];
}

/** An entry of the cluster's storage configuration, as the installer and its owner left it. */
export interface StorageEntry {
  storage: string;
  type: string;
  /** In the words of the configuration file. */
  options: Readonly<Record<string, string>>;
}

export const PROXMOX = {
  address: "192.168.1.248",
  port: 8006,
  names: ["192.168.1.248", "node01", "node02", "node03", "node01.fullstack.pw", "proxmox.fullstack.pw", "localhost", "127.0.0.1"],
  version: { version: "8.4.1", release: "8.4", repoid: "2a5fa54a8503f96d" },
} as const;

export const GATEWAY = "192.168.1.1";

export const NODES: readonly NodeSpec[] = [
  {
    name: "node01",
    cidr: "192.168.1.248/24",
    cores: 4,
    sockets: 1,
    cpu: "Intel(R) Core(TM) i7-4710HQ CPU @ 2.50GHz",
    memoryGiB: 16,
    ports: ["eno1"],
    rootGiB: 94,
    thinPools: [
      { place: "pve/data", totalGiB: 350 },
      { place: "slowdata/slowdata", totalGiB: 900 },
    ],
  },
  {
    name: "node02",
    cidr: "192.168.1.249/24",
    cores: 4,
    sockets: 1,
    cpu: "Intel(R) Core(TM) i7-7700T CPU @ 2.90GHz",
    memoryGiB: 32,
    ports: ["eno1"],
    rootGiB: 94,
    thinPools: [{ place: "pve/data", totalGiB: 800 }],
  },
  {
    name: "node03",
    cidr: "192.168.1.250/24",
    cores: 36,
    sockets: 2,
    cpu: "Intel(R) Xeon(R) CPU E5-2699 v3 @ 2.30GHz",
    memoryGiB: 128,
    ports: ["eno1", "eno2"],
    rootGiB: 94,
    thinPools: [
      { place: "pve/data", totalGiB: 1700 },
      { place: "data2/data2", totalGiB: 1800 },
    ],
  },
];

/** `local` and `local-lvm` as a fresh Proxmox has them: without the content type `import`. */
export const STORAGES: readonly StorageEntry[] = [
  { storage: "local", type: "dir", options: { path: "/var/lib/vz", content: "backup,import,iso,vztmpl" } },
  { storage: "local-lvm", type: "lvmthin", options: { vgname: "pve", thinpool: "data", content: "rootdir,images" } },
  { storage: "slowdata", type: "lvmthin", options: { vgname: "slowdata", thinpool: "slowdata", content: "images,rootdir", nodes: "node01" } },
  { storage: "data2", type: "lvmthin", options: { vgname: "data2", thinpool: "data2", content: "images,rootdir", nodes: "node03" } },
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
