/** The hosts of one or more stacks in the forms that other tools read. */
import { z } from "zod";
import { quote } from "../../common/quote";

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

/** The hosts that run, sorted by name: those that are off cannot be reached. */
const reachable = (hosts: Hosts): [string, InventoryHost][] =>
  Object.entries(hosts)
    .filter(([, host]) => host.running)
    .toSorted(([a], [b]) => a.localeCompare(b));

/** An inventory of Ansible, in its INI form. */
export function renderIni(hosts: Hosts): string {
  const listed = reachable(hosts);
  const lines = listed.map(([name, { address, user }]) => `${name} ansible_host=${address} ansible_user=${user}`);
  const groups = [...new Set(listed.flatMap(([, host]) => host.groups))].toSorted();
  const sections = groups.map((group) => [`[${group}]`, ...listed.filter(([, host]) => host.groups.includes(group)).map(([name]) => name)].join("\n"));
  return `${[lines.join("\n"), ...sections, "[all:vars]\nansible_become=true\nansible_become_method=sudo"].join("\n\n")}\n`;
}

/** How the hosts are reached. */
export interface SshAccess {
  /** `hostKey` is the bastion's, as in known_hosts, where it is known. */
  bastion?: { host: string; port: number; user: string; keyFile: string; hostKey?: string };
  /** Private key for the hosts; without it ssh offers those of its agent and its usual files. */
  identityFile?: string;
  /** File with the text of {@link renderKnownHosts}. */
  knownHostsFile: string;
}

/** A path as ssh_config takes it, blanks and percent signs included. */
const quoted = (file: string): string => `"${file.replaceAll("%", "%%")}"`;

/**
 * The jump as a `ProxyCommand`. `ProxyJump` would start ssh with the unquoted path of the configuration, and use the settings of the host
 * for the bastion.
 */
function proxyCommand({ host, port, user, keyFile, hostKey }: NonNullable<SshAccess["bastion"]>, knownHostsFile: string | undefined): string {
  const known = hostKey === undefined || knownHostsFile === undefined ? [] : [`UserKnownHostsFile="${knownHostsFile}"`, "StrictHostKeyChecking=yes"];
  const options = ["IdentitiesOnly=yes", ...known].flatMap((option) => ["-o", option]);
  const words = ["ssh", "-F", "none", "-i", keyFile, ...options, "-p", String(port)].map((word) => quote(word).replaceAll("%", "%%"));
  return `${words.join(" ")} -W '[%h]:%p' ${quote(`${user}@${host}`)}`;
}

/** Blocks for ssh's configuration file. Without access they only name the hosts; with it, `ssh -F` reaches each of them by its name. */
export function renderSshConfig(hosts: Hosts, access?: SshAccess): string {
  const { bastion, identityFile, knownHostsFile } = access ?? {};
  const known = knownHostsFile === undefined ? [] : [`  UserKnownHostsFile ${quoted(knownHostsFile)}`, "  StrictHostKeyChecking yes"];
  const identity = identityFile === undefined ? [] : [`  IdentityFile ${quoted(identityFile)}`, "  IdentitiesOnly yes"];
  const jump = bastion === undefined ? [] : [`  ProxyCommand ${proxyCommand(bastion, knownHostsFile)}`];
  const blocks = reachable(hosts).map(([name, { address, user }]) => [
    `Host ${name}`,
    ...[`  HostName ${address}`, `  User ${user}`, `  HostKeyAlias ${name}`],
    ...[...known, ...identity, ...jump],
  ]);
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
