/** `ipconfig0` of a VM definition: `ip=10.20.0.12/24,gw=10.20.0.1,ip6=dhcp`. */
import { isIPv4, isIPv6 } from "node:net";

export interface IpConfig {
  address: string;
  prefix: number;
  gateway: string | undefined;
  /** `dhcp`, `auto` or an address with its prefix. */
  ip6: string | undefined;
  gw6: string | undefined;
}

/** An address with a prefix in its two parts, or undefined where it is none. */
function withPrefix(text: string, isAddress: (text: string) => boolean, longest: number): { address: string; prefix: number } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (!match?.[1] || !match[2] || !isAddress(match[1]) || Number(match[2]) > longest) return undefined;
  return { address: match[1], prefix: Number(match[2]) };
}

function partsOf(text: string): Map<string, string> | { problem: string } {
  const parts = new Map<string, string>();
  for (const part of text.split(",").map((p) => p.trim())) {
    const [key = "", value, ...rest] = part.split("=");
    if (value === undefined || value === "" || rest.length > 0) return { problem: `"${part}" is not key=value` };
    if (!["ip", "gw", "ip6", "gw6"].includes(key)) return { problem: `unknown part "${key}"; known are ip, gw, ip6 and gw6` };
    if (parts.has(key)) return { problem: `"${key}" stands twice` };
    parts.set(key, value);
  }
  return parts;
}

/** The parts, or what is wrong with them. A DHCP address is refused: hosts are found by it. */
export function parseIpConfig(text: string): IpConfig | { problem: string } {
  const parts = partsOf(text);
  if ("problem" in parts) return parts;
  const [ip, gw, ip6, gw6] = ["ip", "gw", "ip6", "gw6"].map((key) => parts.get(key));
  if (ip === undefined || !/^[\d.]+\/\d+$/.test(ip)) return { problem: "needs ip=<IPv4 address>/<prefix>; hosts are reached by it, so it cannot be dhcp" };
  const ipv4 = withPrefix(ip, isIPv4, 32);
  if (ipv4 === undefined) return { problem: `"${ip}" is not an IPv4 address with a prefix` };
  if (gw !== undefined && !isIPv4(gw)) return { problem: `the gateway "${gw}" is not an IPv4 address` };
  if (ip6 !== undefined && ip6 !== "dhcp" && ip6 !== "auto" && withPrefix(ip6, isIPv6, 128) === undefined)
    return { problem: `ip6 must be dhcp, auto or an IPv6 address with a prefix, not "${ip6}"` };
  if (gw6 !== undefined && !isIPv6(gw6)) return { problem: `the gateway "${gw6}" is not an IPv6 address` };
  if (gw6 !== undefined && (ip6 === undefined || ip6 === "dhcp" || ip6 === "auto")) return { problem: "gw6 needs an IPv6 address in ip6" };
  return { ...ipv4, gateway: gw, ip6, gw6 };
}
