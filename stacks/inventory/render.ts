/** The hosts of one or more stacks in the forms that other tools read. */
import { z } from "zod";

export const hostSchema = z.strictObject({
  /** Without prefix. */
  address: z.string(),
  user: z.string(),
  /** Proxmox node. */
  node: z.string(),
  /** As in known_hosts; "" for a host that is off. */
  hostKey: z.string(),
  /** false: the VM is defined and stays off. */
  running: z.boolean(),
  groups: z.array(z.string()),
});
export type InventoryHost = z.infer<typeof hostSchema>;

type Hosts = Readonly<Record<string, InventoryHost>>;

/** Sorted by name; those that are off are left out: who reads this wants to reach them. */
const reachable = (hosts: Hosts): [string, InventoryHost][] =>
  Object.entries(hosts)
    .filter(([, host]) => host.running)
    .toSorted(([a], [b]) => a.localeCompare(b));

/** As Ansible's inventories are. */
export function renderIni(hosts: Hosts): string {
  const listed = reachable(hosts);
  const lines = listed.map(([name, { address, user }]) => `${name} ansible_host=${address} ansible_user=${user}`);
  const groups = [...new Set(listed.flatMap(([, host]) => host.groups))].toSorted();
  const sections = groups.map((group) => [`[${group}]`, ...listed.filter(([, host]) => host.groups.includes(group)).map(([name]) => name)].join("\n"));
  return `${[lines.join("\n"), ...sections, "[all:vars]\nansible_become=true\nansible_become_method=sudo"].join("\n\n")}\n`;
}

/** How the hosts are reached. */
export interface SshAccess {
  /** With a key of its own, as in known_hosts, where it is known. */
  bastion?: { host: string; port: number; user: string; keyFile: string; hostKey?: string };
  /** Private key for the hosts; without it ssh offers those of its agent and its usual files. */
  identityFile?: string;
  /** What {@link renderKnownHosts} gave, in a file. */
  knownHostsFile: string;
}

/** The bastion's name in the configuration. */
const BASTION = "homelab-bastion";

/** A path as ssh_config takes it, blanks and percent signs included. */
const quoted = (file: string): string => `"${file.replaceAll("%", "%%")}"`;

/** Blocks for ssh's configuration file. Without access they only name the hosts; with it, and the known hosts in their file, `ssh -F` reaches each host by its name. */
export function renderSshConfig(hosts: Hosts, access?: SshAccess): string {
  const { bastion, identityFile, knownHostsFile } = access ?? {};
  const known = knownHostsFile === undefined ? [] : [`  UserKnownHostsFile ${quoted(knownHostsFile)}`, "  StrictHostKeyChecking yes"];
  const identity = (file: string | undefined): string[] => (file === undefined ? [] : [`  IdentityFile ${quoted(file)}`, "  IdentitiesOnly yes"]);
  const blocks = reachable(hosts).map(([name, { address, user }]) => [
    `Host ${name}`,
    ...[`  HostName ${address}`, `  User ${user}`, `  HostKeyAlias ${name}`],
    ...known,
    ...identity(identityFile),
    ...(bastion === undefined ? [] : [`  ProxyJump ${BASTION}`]),
  ]);
  if (bastion !== undefined) {
    const block = [`Host ${BASTION}`, `  HostName ${bastion.host}`, `  Port ${bastion.port}`, `  User ${bastion.user}`, ...identity(bastion.keyFile)];
    // Without its key it is asked for at the first contact, as for any host.
    blocks.unshift(bastion.hostKey === undefined ? block : [...block, ...known]);
  }
  return `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`;
}

/** Lines for known_hosts: of the hosts by name and by address, and of the bastion. */
export function renderKnownHosts(hosts: Hosts, bastion?: SshAccess["bastion"]): string {
  const lines = reachable(hosts)
    .filter(([, { hostKey }]) => hostKey !== "")
    .map(([name, { address, hostKey }]) => `${name},${address} ${hostKey}\n`);
  if (bastion?.hostKey === undefined) return lines.join("");
  return [`${bastion.port === 22 ? bastion.host : `[${bastion.host}]:${bastion.port}`} ${bastion.hostKey}\n`, ...lines].join("");
}
