/** What a Pi-hole answers for a name: its own records, and those of its folder of hosts files. */
import type { PiholeConfig } from "./config";

export interface NameTable {
  /** Addresses by name, in lower case. */
  addresses: ReadonlyMap<string, readonly string[]>;
  /** Alias to the name that it stands for (CNAME). */
  aliases: ReadonlyMap<string, string>;
}

/** @param hostsFiles content of the files in /etc/pihole/hosts, which dnsmasq reads beside the records of the settings */
export function nameTable(config: PiholeConfig, hostsFiles: readonly string[]): NameTable {
  const addresses = new Map<string, string[]>();
  const lines = [...config.lists["dns.hosts"], ...hostsFiles.flatMap((text) => text.split("\n"))];
  for (const line of lines) {
    const [address = "", ...names] = line.replace(/#.*$/, "").trim().split(/\s+/);
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = addresses.get(name) ?? [];
      if (!known.includes(address)) addresses.set(name, [...known, address]);
    }
  }
  const aliases = new Map<string, string>();
  for (const record of config.lists["dns.cnameRecords"]) {
    const parts = record.toLowerCase().split(",");
    const names = /^\d+$/.test(parts.at(-1) ?? "") && parts.length > 2 ? parts.slice(0, -1) : parts;
    const target = names.at(-1) ?? "";
    for (const name of names.slice(0, -1)) aliases.set(name, target);
  }
  return { addresses, aliases };
}

/** Steps from one alias to the next before a loop is taken for one. */
const MAX_ALIASES = 8;

/** The names on the way and the addresses at its end; no addresses: the name is not known here. */
export function lookUp(table: NameTable, name: string): { chain: string[]; addresses: readonly string[] } {
  const chain: string[] = [];
  let at = name.toLowerCase();
  for (let step = 0; step <= MAX_ALIASES; step++) {
    const addresses = table.addresses.get(at);
    if (addresses !== undefined) return { chain, addresses };
    const next = table.aliases.get(at);
    if (next === undefined) break;
    chain.push(next);
    at = next;
  }
  return { chain: [], addresses: [] };
}
