/** Settings of a Pi-hole (FTL 6) as far as the lab models them: from its file pihole.toml, and over it from the container's environment. */
import { HomelabError } from "../../common/errors";

/** The lists of strings; FTL adds and removes items of these one by one. */
export const LISTS = ["dns.hosts", "dns.cnameRecords", "dns.upstreams"] as const;
export type ListName = (typeof LISTS)[number];

/** Variables of the environment: `FTLCONF_` and the key with `_` for `.`. Those that are `ignored` change nothing that the lab models. */
const VARIABLES: Readonly<Record<string, ListName | "password" | "ignored">> = {
  FTLCONF_dns_hosts: "dns.hosts",
  FTLCONF_dns_cnameRecords: "dns.cnameRecords",
  FTLCONF_dns_upstreams: "dns.upstreams",
  FTLCONF_webserver_api_password: "password",
  FTLCONF_dns_listeningMode: "ignored",
  TZ: "ignored",
};

export interface PiholeConfig {
  lists: Record<ListName, string[]>;
  /** Keys that the environment sets: the API cannot change them. */
  readOnly: ReadonlySet<string>;
  /** Empty: no login is needed. undefined: the container made one up and wrote it into its log. */
  password: string | undefined;
}

const isIpv4 = (text: string): boolean => /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split(".").every((part) => Number(part) <= 255);
const isAddress = (text: string): boolean => isIpv4(text) || (/^[0-9a-fA-F:]+$/.test(text) && text.includes(":"));
const isName = (text: string): boolean => /^[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*$/.test(text);

/** What FTL says of an item that it refuses; undefined for a good one. */
export function itemProblem(list: ListName, item: string): string | undefined {
  switch (list) {
    case "dns.hosts": {
      const [address = "", ...names] = item.trim().split(/\s+/);
      if (!isAddress(address)) return `${list}: neither a valid IPv4 nor IPv6 address ("${address}")`;
      if (names.length === 0) return `${list}: entry does not have at least one hostname ("${item}")`;
      const wrong = names.find((name) => !isName(name));
      return wrong === undefined ? undefined : `${list}: invalid hostname ("${wrong}")`;
    }
    case "dns.cnameRecords": {
      const parts = item.split(",");
      const ttl = parts.length > 2 && /^\d+$/.test(parts.at(-1) ?? "");
      const names = ttl ? parts.slice(0, -1) : parts;
      if (names.length < 2) return `${list}: not a valid CNAME definition (too few elements)`;
      const wrong = names.find((name) => !isName(name));
      return wrong === undefined ? undefined : `${list}: contains an invalid name ("${wrong}")`;
    }
    case "dns.upstreams":
      return item === "" ? `${list}: empty string` : undefined;
  }
}

/** Reads what {@link writeToml} wrote, and what an owner may have added: lists of the keys that the lab knows. */
function readToml(text: string, onUnknown: (key: string) => void): Partial<Record<ListName, string[]>> {
  const found: Partial<Record<ListName, string[]>> = {};
  let section = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[([\w.]+)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      continue;
    }
    const [, name = line, value = ""] = /^(\w+)\s*=\s*(\[.*\])$/.exec(line) ?? [];
    const key = LISTS.find((list) => list === `${section}.${name}`);
    if (key === undefined) onUnknown(`${section}.${name}`);
    else found[key] = JSON.parse(value) as string[];
  }
  return found;
}

export function writeToml(config: PiholeConfig): string {
  const lines = LISTS.map((list) => `${list.slice("dns.".length)} = ${JSON.stringify(config.lists[list])}`);
  return `# Pi-hole configuration file (v6), written by the lab\n[dns]\n${lines.join("\n")}\n`;
}

/**
 * @param toml what pihole.toml holds; undefined on the first start
 * @param onUnknown a key of the file or a variable that the lab does not model
 * @throws HomelabError E_PIHOLE_CONFIG for a value that stops FTL
 */
export function readConfig(environment: Readonly<Record<string, string>>, toml: string | undefined, onUnknown: (what: string) => void): PiholeConfig {
  const saved = toml === undefined ? {} : readToml(toml, (key) => onUnknown(`pihole.toml: ${key}`));
  const config: PiholeConfig & { readOnly: Set<string> } = {
    lists: { "dns.hosts": [], "dns.cnameRecords": [], "dns.upstreams": [], ...saved },
    readOnly: new Set(),
    password: undefined,
  };
  for (const [variable, value] of Object.entries(environment)) {
    const key = VARIABLES[variable];
    if (key === undefined) onUnknown(`the variable ${variable}`);
    else if (key === "password") {
      config.password = value;
      config.readOnly.add("webserver.api.password");
    } else if (key !== "ignored") {
      const items = value.split(";").filter((item) => item !== "");
      const problem = items.map((item) => itemProblem(key, item)).find((found) => found !== undefined);
      if (problem !== undefined) throw new HomelabError("E_PIHOLE_CONFIG", `${variable}: ${problem}`, { subject: variable });
      config.lists[key] = items;
      config.readOnly.add(key);
    }
  }
  return config;
}
