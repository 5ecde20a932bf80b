/** What `homelab init` has to know, each with a default, and how it is asked for or given by flags. */
import { DNS_LABEL } from "../common/dns-label";
import { HomelabError } from "../common/errors";
import { hostAt, parseNetwork } from "./network";

/** A Proxmox node as the new site describes it. */
export interface NodeAnswer {
  name: string;
  /** On its first bridge. */
  address: string;
  memoryMiB: number;
  threads: number;
  /** As Proxmox names its processor. */
  cpu: string;
  /** Storage for the disks of VMs, and one for images and ISOs. */
  storage: string;
  fileStorage: string;
  bridge: string;
  /** Room of `storage`, GiB. */
  roomGiB: number;
}

export interface Answers {
  domain: string;
  network: string;
  gateway: string;
  nodes: readonly NodeAnswer[];
  /** The first one has the services that the hosts use: DNS and Vault. */
  stacks: readonly string[];
  user: string;
  /** Who signs the certificates of host names: an authority that is made here, or Let's Encrypt by a token of Cloudflare. */
  certificates: "own" | "cloudflare";
}

export const FLAGS = [
  "domain",
  "network",
  "gateway",
  "node",
  "stacks",
  "user",
  "certificates",
  "memory",
  "threads",
  "storage",
  "file-storage",
  "bridge",
] as const;
export type Flag = (typeof FLAGS)[number];
export type Given = Readonly<Partial<Record<Flag, string>>>;

const DEFAULTS = {
  domain: "home.arpa",
  network: "192.168.0.0/24",
  stacks: "tools,dev",
  user: "admin",
  certificates: "own",
  memory: "32",
  threads: "8",
  storage: "local-lvm",
  "file-storage": "local",
  bridge: "vmbr0",
} as const;

/** The question of each that is asked at a terminal, in order. */
export const QUESTIONS = [
  ["domain", "Domain of all host names"],
  ["network", "Network of the hosts"],
  ["node", "Proxmox nodes as NAME=ADDRESS, with commas"],
  ["stacks", "Stacks, the one with the hosts' own services first"],
  ["user", "User on the hosts"],
  ["certificates", "Certificates: own (an authority of this homelab) or cloudflare (Let's Encrypt, for a public domain there)"],
] as const satisfies readonly (readonly [Flag, string])[];

export const defaultOf = (flag: Flag, given: Given): string => {
  const network = parseNetwork(given.network ?? DEFAULTS.network);
  if (flag === "gateway") return hostAt(network, 1);
  return flag === "node" ? `pve=${hostAt(network, 2)}` : DEFAULTS[flag];
};

/** A host name has at most 253 characters. The domain leaves room for a label of 63 and a dot before it. */
const LONGEST_DOMAIN = 189;
const SHAPES: Partial<Record<Flag, [pattern: RegExp, what: string]>> = {
  domain: [
    new RegExp(`^(?=.{1,${LONGEST_DOMAIN}}$)${DNS_LABEL}(\\.${DNS_LABEL})+$`),
    `a domain such as example.org, of at most ${LONGEST_DOMAIN} characters and 63 between dots`,
  ],
  user: [/^[a-z][a-z0-9-]{0,30}$/, "a user's name: lower-case letters, digits and dashes"],
  certificates: [/^(own|cloudflare)$/, "own or cloudflare"],
  memory: [/^[1-9]\d{0,4}$/, "a number of GiB"],
  threads: [/^[1-9]\d{0,3}$/, "a number of processor threads"],
  storage: [/^[a-z][a-z0-9_.-]*[a-z0-9]$/i, "the name of a storage, such as local-lvm"],
  "file-storage": [/^[a-z][a-z0-9_.-]*[a-z0-9]$/i, "the name of a storage, such as local"],
  bridge: [/^[a-z][a-z0-9_]{1,9}$/, "the name of a bridge, such as vmbr0"],
};
const NAME = new RegExp(`^${DNS_LABEL}$`);
/** The name is that of a Pulumi stack and of a Kubernetes context, and a part of host names. */
export const STACK_NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;

const refuse = (flag: Flag, value: string, what: string): HomelabError =>
  new HomelabError("E_USAGE", `--${flag} takes ${what}, not "${value}"`, { subject: value, hint: "`homelab help init` lists the flags" });

function unique(flag: Flag, names: readonly string[], given: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse(flag, given, `each name once (${twice} is there twice)`);
}

const partsOf = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/**
 * The answers, checked one by one and together.
 * @param known nodes that were read from Proxmox, in place of those of `--node`
 * @throws HomelabError E_USAGE naming the flag
 */
export function answersOf(given: Given, known?: readonly NodeAnswer[]): Answers {
  const value = (flag: Flag): string => given[flag] ?? defaultOf(flag, given);
  for (const [flag, [pattern, what]] of Object.entries(SHAPES) as [Flag, [RegExp, string]][])
    if (!pattern.test(value(flag))) throw refuse(flag, value(flag), what);
  const network = parseNetwork(value("network"));
  if (!network.holds(value("gateway"))) throw refuse("gateway", value("gateway"), `an address in ${value("network")}`);
  const stacks = partsOf(value("stacks"));
  if (stacks.length === 0 || !stacks.every((name) => STACK_NAME.test(name))) throw refuse("stacks", value("stacks"), "names with commas, such as tools,dev");
  unique("stacks", stacks, value("stacks"));
  const nodes = known ?? partsOf(value("node")).map((part) => nodeOf(part, value));
  unique(
    "node",
    nodes.flatMap(({ name, address }) => [name, address]),
    nodes.map(({ name, address }) => `${name}=${address}`).join(","),
  );
  const outside = nodes.find(({ address }) => !network.holds(address) || address === value("gateway"));
  if (nodes.length === 0 || outside !== undefined)
    throw refuse("node", outside?.address ?? "", `addresses in ${value("network")} other than the gateway's (${value("gateway")})`);
  const certificates = value("certificates") === "own" ? "own" : "cloudflare";
  return { domain: value("domain"), network: value("network"), gateway: value("gateway"), nodes, stacks, user: value("user"), certificates };
}

function nodeOf(part: string, value: (flag: Flag) => string): NodeAnswer {
  const [name = "", address = "", ...more] = part.split("=");
  if (!NAME.test(name) || address === "" || more.length > 0) throw refuse("node", part, "NAME=ADDRESS, such as pve=10.20.0.2");
  return {
    name,
    address,
    memoryMiB: Number(value("memory")) * 1024,
    threads: Number(value("threads")),
    cpu: "unknown",
    storage: value("storage"),
    fileStorage: value("file-storage"),
    bridge: value("bridge"),
    roomGiB: 500,
  };
}
