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

/** @param jump `user@host:port` of a bastion */
export function renderSshConfig(hosts: Hosts, jump?: string): string {
  const blocks = reachable(hosts).map(([name, { address, user }]) =>
    [`Host ${name}`, `  HostName ${address}`, `  User ${user}`, `  HostKeyAlias ${name}`, ...(jump === undefined ? [] : [`  ProxyJump ${jump}`])].join("\n"),
  );
  return `${blocks.join("\n\n")}\n`;
}

/** Lines for known_hosts, by name and by address. */
export const renderKnownHosts = (hosts: Hosts): string =>
  reachable(hosts)
    .filter(([, { hostKey }]) => hostKey !== "")
    .map(([name, { address, hostKey }]) => `${name},${address} ${hostKey}\n`)
    .join("");
