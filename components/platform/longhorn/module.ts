import { defineModule, type Flow } from "../module";
import { longhornOptions } from "./options";
import { LONGHORN_CHART, LONGHORN_CLASS, LONGHORN_NAMESPACE, longhornChart, longhornValues } from "./values";

const GROUP = "longhorn.io";
const KINDS = [
  "backingimagedatasources",
  "backingimagemanagers",
  "backingimages",
  "backupbackingimages",
  "backups",
  "backuptargets",
  "backupvolumes",
  "enginefrontends",
  "engineimages",
  "engines",
  "instancemanagers",
  "nodes",
  "orphans",
  "recurringjobs",
  "replicas",
  "settings",
  "shardgroups",
  "shards",
  "sharemanagers",
  "snapshots",
  "supportbundles",
  "systembackups",
  "systemrestores",
  "volumeattachments",
  "volumes",
];

const inside = (port: number, why: string, endPort?: number): Flow => ({
  direction: "in",
  peer: LONGHORN_NAMESPACE,
  port,
  ...(endPort === undefined ? {} : { endPort }),
  why,
});

export const longhorn = defineModule({
  name: "longhorn",
  upgrades: { by: "minor", why: "it refuses to leave a minor version out, and takes no way back" },
  summary: "volumes that are kept on several nodes, with snapshots. Its pages have no login and so no host name: Teleport shows them",
  charts: { longhorn: LONGHORN_CHART },
  options: longhornOptions,
  exceptions: [
    { rule: "host-access", why: "volumes are devices of the node: its managers find, make and mount them" },
    { rule: "non-root", why: "as above" },
    { rule: "no-escalation", why: "as above" },
    { rule: "capabilities", why: "as above; the chart has no place for it" },
    { rule: "seccomp", why: "the chart has no place for it" },
    { rule: "read-only-root", why: "the chart has no place for it" },
    { rule: "readiness", why: "the chart has a probe of its managers alone" },
    { rule: "liveness", why: "the chart has none: its managers end by themselves" },
  ],
  crds: KINDS.map((kind) => `${kind}.${GROUP}`),
  parts: (options) => ({
    charts: { longhorn: longhornChart(options.version) },
    namespaces: [LONGHORN_NAMESPACE],
    // Its managers mount devices of the node, and run programs of the host.
    podSecurity: { [LONGHORN_NAMESPACE]: "privileged" },
    unlimited: [LONGHORN_NAMESPACE],
    withoutQuota: { [LONGHORN_NAMESPACE]: "its engines ask for a share of each node; one that is refused is a volume that nobody can mount" },
    after: ["volume-snapshots"],
    offers: { storageClasses: [LONGHORN_CLASS], ingressClasses: [] },
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads and writes its own kinds, volumes and claims" },
      { direction: "in", peer: "cluster", port: 9502, why: "the API asks its webhook about each of its objects" },
      { direction: "in", peer: "cluster", port: 3260, why: "nodes attach volumes by iSCSI" },
      { direction: "in", peer: "cluster", port: 2049, why: "nodes mount shared volumes by NFS" },
      inside(8000, "managers and the images that volumes begin with", 8002),
      inside(8500, "managers and what runs the engines", 8505),
      inside(9500, "its pages, drivers and jobs ask the managers"),
      inside(9502, "managers and their webhook", 9503),
      inside(10_000, "engines and the copies of their volumes, each by ports of its own", 30_000),
    ],
    workloads: [
      // With a second container that only keeps an image on the node.
      { name: "manager", cpu: "110m", memory: "320Mi" },
      { name: "driver-deployer" },
      { name: "ui" },
    ],
    volumes: [{ name: "volumes", size: options.size }],
    values: { longhorn: longhornValues(options) },
  }),
  build: () => (require("./longhorn") as typeof import("./longhorn")).buildLonghorn,
});
