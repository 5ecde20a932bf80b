/**
 * What the lab has to know of the homelab that it models: hardware, addresses and names that nobody builds. The program writes it
 * from its site's facts (`node bin/stacks/lab-site.js`), the orchestrator hands it over when it starts the lab, and the lab reads
 * nothing else of the site. docs/lab.md has its fields.
 */
import * as net from "node:net";
import { z } from "zod";
import { HomelabError } from "./errors";

const nameSchema = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/, "not a name");

/** An LVM thin pool of a node. */
const poolSchema = z.strictObject({
  /** `pve/data`: volume group and thin pool. */
  place: z.string().regex(/^[^/]+\/[^/]+$/, "write it as GROUP/POOL"),
  totalGiB: z.number().positive(),
});

const bridgeSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{1,9}$/, "not a bridge's name"),
  /** Physical ports of the node. */
  ports: z.array(z.string()),
  /** The node's own address on it, with prefix. */
  cidr: z.cidrv4().optional(),
  gateway: z.ipv4().optional(),
});

const nodeSchema = z.strictObject({
  name: nameSchema,
  /** For each socket. */
  cores: z.int().positive(),
  sockets: z.int().positive(),
  /** As /proc/cpuinfo names the model. */
  cpu: z.string(),
  memoryMiB: z.int().positive(),
  /** Physical network ports, those in no bridge included. */
  ports: z.array(z.string()).min(1),
  bridges: z.array(bridgeSchema).min(1),
  /** Size of its root file system. */
  rootGiB: z.number().positive(),
  thinPools: z.array(poolSchema),
});
export type LabNode = z.infer<typeof nodeSchema>;

const storageSchema = z.strictObject({
  storage: z.string().regex(/^[a-z][a-z0-9\-_.]*[a-z0-9]$/i, "not a storage's name"),
  type: z.enum(["dir", "lvm", "lvmthin", "zfspool"]),
  /** In the words of Proxmox's configuration file: `path`, `vgname`, `thinpool`, `content`, `nodes`, … */
  options: z.record(z.string(), z.string()),
});

const shapeSchema = z.strictObject({
  version: z.literal(1),
  /** Base of the homelab's host names, and its own name. */
  domain: z.hostname(),
  /** Networks (CIDR) that are the homelab's own: an address of them where nothing answers is a machine that is off. */
  networks: z.array(z.cidrv4()).min(1),
  proxmox: z.strictObject({
    address: z.ipv4(),
    port: z.int().min(1).max(65_535),
    /** Other names and addresses at which its API answers. */
    names: z.array(z.hostname().or(z.ipv4())),
    /** Name of the Proxmox cluster. */
    cluster: nameSchema,
    /** The name server that the nodes use. */
    nameserver: z.ipv4(),
  }),
  /** The first one answers the API. */
  nodes: z.array(nodeSchema).min(1),
  /** Proxmox's list of storages, as the installer and the owner of the nodes left it. */
  storages: z.array(storageSchema),
  /** Images of operating systems that the homelab downloads, with the digest that was published. */
  images: z.array(z.strictObject({ url: z.url({ protocol: /^https$/ }), sha256: z.string().regex(/^[0-9a-f]{64}$/, "not a SHA-256") })),
  /** Git repositories on the internet that the homelab reads. */
  repositories: z.array(z.url({ protocol: /^https$/ })).default([]),
  /** The hosts of each stack. A cluster on a host gets the stack's name as its kubectl context. */
  stacks: z.array(z.strictObject({ name: nameSchema, hosts: z.array(nameSchema) })),
});
export type LabSite = z.infer<typeof shapeSchema>;

/** Whether an IPv4 address lies in one of some networks; a name lies in none. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  if (net.isIP(address) !== 4) return false;
  const list = new net.BlockList();
  for (const network of networks) {
    const [base = "", prefix = ""] = network.split("/");
    list.addSubnet(base, Number(prefix));
  }
  return list.check(address);
}

const twice = (names: readonly string[]): string[] => [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];

/** Contradictions between the parts, one sentence each. */
function contradictions({ networks, proxmox, nodes, storages, stacks }: LabSite): string[] {
  const outside = (what: string, address: string): string[] =>
    isInNetworks(address, networks) ? [] : [`${what} ${address} lies in none of the networks ${networks.join(", ")}`];
  const ofNode = (node: LabNode): string[] => [
    ...twice(node.bridges.map(({ name }) => name)).map((name) => `node ${node.name} has two bridges ${name}`),
    ...twice(node.bridges.flatMap(({ ports }) => ports)).map((port) => `port ${port} of node ${node.name} is in two bridges`),
    ...node.bridges.flatMap(({ name, ports }) =>
      ports
        .filter((port) => !node.ports.includes(port))
        .map((port) => `bridge ${name} of node ${node.name} has the port ${port}, which the node does not have`),
    ),
    ...node.bridges.flatMap(({ cidr }) => (cidr === undefined ? [] : outside(`the address of node ${node.name}`, cidr.replace(/\/.*/, "")))),
  ];
  const known = new Set(nodes.map(({ name }) => name));
  const ofStorage = ({ storage, options }: LabSite["storages"][number]): string[] =>
    (options["nodes"] ?? "")
      .split(",")
      .filter((name) => name !== "" && !known.has(name))
      .map((name) => `storage ${storage} is on node ${name}, which does not exist`);
  return [
    ...twice(nodes.map(({ name }) => name)).map((name) => `there are two nodes ${name}`),
    ...twice(storages.map(({ storage }) => storage)).map((name) => `there are two storages ${name}`),
    ...twice(stacks.map(({ name }) => name)).map((name) => `there are two stacks ${name}`),
    ...twice(stacks.flatMap(({ hosts }) => hosts)).map((name) => `the host ${name} belongs to two stacks`),
    ...outside("the address of Proxmox", proxmox.address),
    ...nodes.flatMap(ofNode),
    ...storages.flatMap(ofStorage),
  ];
}

export const labSiteSchema = shapeSchema.superRefine((site, context) => {
  for (const message of contradictions(site)) context.addIssue({ code: "custom", message });
});

/**
 * @param subject where it comes from, for the message
 * @throws HomelabError E_LAB_SITE with everything that is wrong
 */
export function parseLabSite(value: unknown, subject: string): LabSite {
  const parsed = labSiteSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HomelabError("E_LAB_SITE", `${subject} does not describe a homelab that the lab can model:\n${z.prettifyError(parsed.error)}`, {
    subject,
    hint: "correct what is named in the homelab's own facts",
  });
}

/**
 * The first difference between the homelab that a lab holds and the given one, in words; undefined where the lab can go on with it.
 * An additional node, storage or host is no difference: hardware may grow.
 */
export function otherHomelab(held: LabSite, given: LabSite): string | undefined {
  const pairs: [string, string, string][] = [
    ["the domain", held.domain, given.domain],
    ["the address of Proxmox", `${held.proxmox.address}:${held.proxmox.port}`, `${given.proxmox.address}:${given.proxmox.port}`],
    ...held.networks.map((network): [string, string, string] => ["a network", network, given.networks.includes(network) ? network : "none"]),
    ...held.nodes.map(({ name }): [string, string, string] => ["a node", name, given.nodes.some((node) => node.name === name) ? name : "none"]),
    ...held.storages.map((entry): [string, string, string] => {
      const other = given.storages.find(({ storage }) => storage === entry.storage);
      return ["a storage", `${entry.storage} (${entry.type})`, other === undefined ? "none" : `${other.storage} (${other.type})`];
    }),
  ];
  const [different] = pairs.filter(([, before, now]) => before !== now);
  return different === undefined ? undefined : `${different[0]} is ${different[1]} there and ${different[2]} here`;
}
