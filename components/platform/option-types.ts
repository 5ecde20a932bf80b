/** Types of options that several modules have. What they refuse would otherwise fail in the cluster, or be taken there for something else. */
import { z } from "zod";
import { rangeOf } from "../../common/address-range";
import { DNS_LABEL } from "../../common/dns-label";

/** Size of a volume as Kubernetes writes it. */
export const volumeSize = z.string().regex(/^[1-9]\d*(Mi|Gi|Ti)$/, "must be a size such as 10Gi");

/** What a container requests. */
export const cpuAmount = z.string().regex(/^(?![0.]+m?$)\d+(\.\d+)?m?$/, "must be an amount such as 500m");
export const memoryAmount = z.string().regex(/^[1-9]\d*(Mi|Gi)$/, "must be an amount such as 512Mi");

/** An address of a server: what stands in it is seen by everybody who sees the plan. */
export const httpsAddress = z
  .url({ protocol: /^https$/, error: "must be an address that begins with https://" })
  .regex(/^(?!https:)|^https:\/\/[^\s@?#]+$/, "must be an address without user, password, query and spaces");

/** A network by its first address, as routes and policies name it. */
export const network = (example: string) =>
  z
    .cidrv4(`must be a network such as ${example}`)
    .refine((text) => startsWithItself(text), `must begin with the network's own address, such as ${example}`)
    .refine((text) => Number(text.split("/")[1]) >= 8, "must not be larger than /8");

function startsWithItself(text: string): boolean {
  const [address = ""] = text.split("/");
  return rangeOf(text)?.first === rangeOf(address)?.first;
}

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

/** @param example for the message */
export const addressAndPort = (example: string) =>
  z.string().refine((text) => {
    const [address = "", port = "", ...more] = text.split(":");
    return more.length === 0 && z.ipv4().safeParse(address).success && isPort(port);
  }, `must be address:port, such as ${example}`);

const NAME = new RegExp(`^${DNS_LABEL}(\\.${DNS_LABEL})*$`);

/** A host name without the homelab's domain. @param example for the message */
export const shortHostName = (example: string) => z.string().regex(NAME, `must be a name without the domain, such as ${example}`);

/** A whole host name, or an address. */
export const serverName = z.string().max(253).regex(NAME, "must be a host name of a-z, 0-9 and -, or an address, without a port");

/** @param example for the message */
export const nameAndPort = (example: string) =>
  z.string().refine((text) => {
    const [name = "", port = "", ...more] = text.split(":");
    return more.length === 0 && NAME.test(name) && isPort(port);
  }, `must be host:port, such as ${example}`);

/** Folders of a machine that belong to its system. */
const SYSTEM = ["bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr"];

/** A folder of a node that pods write in. @param example for the message */
export const nodeFolder = (example: string) =>
  z
    .string()
    .regex(/^(\/(?!\.{1,2}(\/|$))[\w.-]+)+$/, `must be a folder from / on, without /, . or .. at its end or in it, such as ${example}`)
    .refine((folder) => !SYSTEM.includes(folder.split("/")[1] ?? ""), "must not be a folder of the system");

/** Labels that pods are found by. */
export const podLabels = z
  .record(
    z.string().regex(/^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, "must be the name of a label"),
    z.string().regex(/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/, "must be the value of a label"),
  )
  .refine((labels) => Object.keys(labels).length > 0, "must have at least one label: otherwise all pods of the namespace would be meant");

const FIELDS = [
  { name: "second", from: 0, to: 59, names: [] },
  { name: "minute", from: 0, to: 59, names: [] },
  { name: "hour", from: 0, to: 23, names: [] },
  { name: "day of the month", from: 1, to: 31, names: [] },
  { name: "month", from: 1, to: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { name: "day of the week", from: 0, to: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
] as const;

/** Whether one part of a field (`*`, `1`, `1-5`, `mon-fri`, each with a step) says a time there is. */
function isTime(text: string, { from, to, names }: (typeof FIELDS)[number]): boolean {
  const [range = "", step, ...more] = text.split("/");
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
  if (range === "*") return true;
  const numbers = range.split("-").map((one) => {
    const named = (names as readonly string[]).indexOf(one.toLowerCase());
    return named >= 0 ? named + from : /^\d{1,2}$/.test(one) ? Number(one) : Number.NaN;
  });
  const [first = Number.NaN, last = first] = numbers;
  return numbers.length <= 2 && first >= from && last <= to && first <= last;
}

/** A line of cron as Kubernetes reads it. @param fields 6 begins with seconds @param example for the message */
export const schedule = (fields: 5 | 6, example: string) =>
  z.string().superRefine((text, context) => {
    const given = text.split(" ");
    const wanted = FIELDS.slice(FIELDS.length - fields);
    const say = (message: string): void => context.addIssue({ code: "custom", message });
    if (given.length !== fields) return say(`must have ${fields === 5 ? "five fields" : "six fields, with seconds first"}: ${example}`);
    for (const [index, field] of wanted.entries())
      if (!(given[index] ?? "").split(",").every((one) => isTime(one, field))) say(`has no such ${field.name}: ${given[index]}`);
  });
