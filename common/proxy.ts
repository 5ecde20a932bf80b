/**
 * Which requests go through a proxy: the rules of Go's `net/http` (golang.org/x/net/http/httpproxy, 0.58), which the official
 * plugins, kubectl, helm and Vault's client follow. All of our HTTP clients ask here.
 */
import { BlockList, isIP, isIPv4 } from "node:net";
import { domainToASCII } from "node:url";
import { readEnv } from "./env";
import { HomelabError } from "./errors";

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface ProxySettings {
  httpProxy?: string | undefined;
  httpsProxy?: string | undefined;
  /** Names, `.suffixes`, `*.suffixes`, addresses and CIDRs; or `*`. All but CIDRs may have a `:port`. */
  noProxy?: string | undefined;
  /** A CGI script's environment, in which a client's `Proxy:` header becomes HTTP_PROXY. Default false. */
  cgi?: boolean;
}

/** All variables that send requests through a proxy, with those of gRPC, of curl and of Node itself. */
export const PROXY_VARIABLES: readonly string[] = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  ...["grpc_proxy", "no_grpc_proxy", "NODE_USE_ENV_PROXY"],
];

/** The settings of the environment; the lower-case name of a variable takes precedence. */
export function proxySettings(): ProxySettings {
  const either = (name: string): string | undefined => readEnv(name.toLowerCase()) ?? readEnv(name);
  return { httpProxy: either("HTTP_PROXY"), httpsProxy: either("HTTPS_PROXY"), noProxy: either("NO_PROXY"), cgi: readEnv("REQUEST_METHOD") !== undefined };
}

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];

/**
 * A proxy's address; `host` and `host:port` mean `http://`.
 * @param from the name of the setting, for the error
 * @throws HomelabError E_PROXY; without the value, which may hold a password
 */
export function parseProxy(text: string, from: string): URL {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text);
  const address = hasScheme ? text : `http://${text}`;
  if (!URL.canParse(address)) throw refused(from, "is not the address of a proxy");
  const proxy = new URL(address);
  if (!SCHEMES.includes(proxy.protocol)) throw refused(from, `names a proxy of the kind ${proxy.protocol}//, which is not known`);
  return proxy;
}

function refused(from: string, why: string): HomelabError {
  return new HomelabError("E_PROXY", `${from} ${why}`, { subject: from, hint: `give it as http://host:port (https and socks5 too), or unset ${from}` });
}

/** `[::1]` as `::1`, and an IPv4 address within IPv6 as the IPv4 address that it means. */
function bareHost(url: URL): string {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (mapped === null) return host;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

const familyOf = (address: string): "ipv4" | "ipv6" => (isIPv4(address) ? "ipv4" : "ipv6");

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether a host is this machine: such a request never goes through a proxy. */
function isLoopback(host: string): boolean {
  return host === "localhost" || (isIP(host) !== 0 && LOOPBACK.check(host, familyOf(host)));
}

/** The bits before the IPv4 address in an IPv6 address that means one. */
const MAPPED_BITS = 96;

interface Target {
  host: string;
  port: string;
}

/** Whether a host is in a CIDR; undefined where the entry is none. `::/0` has no IPv4 address in it, which a BlockList alone would find there. */
function inCidr(entry: string, host: string): boolean | undefined {
  const [, base = "", bits = ""] = /^([^/%]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const limit = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  if (Number(bits) > limit) return undefined;
  const isMapped = /^::ffff:/.test(base) && Number(bits) >= MAPPED_BITS;
  if (isIP(host) !== (isMapped ? 4 : isIP(base))) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), familyOf(base));
  return list.check(host, familyOf(host));
}

function matchesAddress(entry: string, host: string): boolean {
  const list = new BlockList();
  list.addAddress(entry, familyOf(entry));
  return isIP(host) !== 0 && list.check(host, familyOf(host));
}

/** `name` means itself and all below it; `.name` and `*.name` only what is below. */
function matchesDomain(entry: string, host: string): boolean {
  if (isIP(host) !== 0) return false;
  const name = entry.startsWith("*.") ? entry.slice(1) : entry;
  const below = name.startsWith(".");
  const bare = below ? name.slice(1) : name;
  // What is ASCII stays as it is: `domainToASCII` would take `a.test/` and `a%2etest` for a.test.
  const ascii = (/[^\0-\x7f]/.test(bare) && domainToASCII(bare)) || bare;
  return host.endsWith(`.${ascii}`) || (!below && host === ascii);
}

function matches(entry: string, { host, port }: Target): boolean {
  if (entry === "*") return true;
  const within = inCidr(entry, host);
  if (within !== undefined) return within;
  // `host:port` and `[IPv6]:port`; a bare IPv6 address has colons and no port.
  const [, bracketed, plain, wantedPort = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(entry) ?? [];
  const name = bracketed ?? plain ?? entry;
  if (name === "" || (wantedPort !== "" && wantedPort !== port)) return false;
  // An address with a zone (`fe80::1%eth0`) is none to Go.
  return isIP(name) !== 0 && !name.includes("%") ? matchesAddress(name, host) : matchesDomain(name, host);
}

/**
 * The proxy for a request, or undefined where it goes straight.
 * @throws HomelabError E_PROXY where the proxy's address is malformed, or comes from the client of a CGI script
 */
export function proxyFor(url: URL, settings: ProxySettings = proxySettings()): URL | undefined {
  const [proxy, from] = { "https:": [settings.httpsProxy, "HTTPS_PROXY"], "http:": [settings.httpProxy, "HTTP_PROXY"] }[url.protocol] ?? [];
  if (proxy === undefined || proxy === "" || from === undefined) return undefined;
  const target = { host: bareHost(url), port: url.port || (url.protocol === "https:" ? "443" : "80") };
  if (isLoopback(target.host)) return undefined;
  const entries = (settings.noProxy ?? "").split(",").map((entry) => entry.trim().toLowerCase());
  if (entries.some((entry) => entry !== "" && matches(entry, target))) return undefined;
  if (from === "HTTP_PROXY" && settings.cgi === true) throw refused(from, "is not used in a CGI environment, where a client could set it");
  return parseProxy(proxy, from);
}
