/** /etc/network/interfaces of a node, as Proxmox writes it, and the difference between two of them, as `diff -u` shows it. */
import type { Interface } from "./model";

function bridgeLines(options: Readonly<Record<string, string>>): string[] {
  const aware = options["bridge_vlan_aware"] === "1";
  return [
    `\tbridge-ports ${options["bridge_ports"] || "none"}`,
    "\tbridge-stp off",
    "\tbridge-fd 0",
    ...(aware ? ["\tbridge-vlan-aware yes", `\tbridge-vids ${options["bridge_vids"] ?? "2-4094"}`] : []),
  ];
}

function stanzas({ iface, type, options }: Interface): string[] {
  const family = (name: string, cidr: string | undefined, gateway: string | undefined): string[] => [
    `iface ${iface} ${name} ${cidr === undefined ? "manual" : "static"}`,
    ...(cidr === undefined ? [] : [`\taddress ${cidr}`]),
    ...(gateway === undefined ? [] : [`\tgateway ${gateway}`]),
  ];
  const { cidr, cidr6 } = options;
  const settings = [...(type === "bridge" ? bridgeLines(options) : []), ...(options["mtu"] === undefined ? [] : [`\tmtu ${options["mtu"]}`])];
  const comments = (options["comments"] ?? "").split("\n").filter((line) => line !== "");
  const first = cidr !== undefined || cidr6 === undefined ? family("inet", cidr, options["gateway"]) : family("inet6", cidr6, options["gateway6"]);
  const second = cidr !== undefined && cidr6 !== undefined ? [...family("inet6", cidr6, options["gateway6"]), ""] : [];
  return [...(options["autostart"] === "1" ? [`auto ${iface}`] : []), ...first, ...settings, ...comments.map((line) => `#${line}`), "", ...second];
}

const fileLines = (interfaces: readonly Interface[]): string[] => ["auto lo", "iface lo inet loopback", "", ...interfaces.flatMap(stanzas)];

const CONTEXT = 3;

/** One hunk around all that differs; undefined where nothing does. */
export function networkDiff(applied: readonly Interface[], pending: readonly Interface[]): string | undefined {
  const [a, b] = [fileLines(applied), fileLines(pending)];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  if (head + tail === a.length && head + tail === b.length) return undefined;
  const from = Math.max(0, head - CONTEXT);
  const after = a.slice(a.length - tail, a.length - tail + CONTEXT);
  const count = (lines: readonly string[]): number => lines.length - tail - from + after.length;
  return [
    "--- /etc/network/interfaces",
    "+++ /etc/network/interfaces.new",
    `@@ -${from + 1},${count(a)} +${from + 1},${count(b)} @@`,
    ...a.slice(from, head).map((line) => ` ${line}`),
    ...a.slice(head, a.length - tail).map((line) => `-${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+${line}`),
    ...after.map((line) => ` ${line}`),
    "",
  ].join("\n");
}
