/** Arguments of external-dns that the lab models. Any other ends the program, as an unknown argument ends the real one. */
import { HomelabError } from "../../common/errors";

/** What it takes names from. */
export const SOURCES = ["ingress", "service", "istio-gateway", "istio-virtualservice"] as const;
export type Source = (typeof SOURCES)[number];

export interface Settings {
  sources: readonly Source[];
  server: string;
  policy: "sync" | "upsert-only" | "create-only";
  /** Whether the program may write and delete this name. */
  owns(name: string): boolean;
  intervalMs: number;
  /** Looks at once when a route changes, not only at each interval. */
  events: boolean;
}

/** Flags with one value; `values` where the lab models only some. */
const FLAGS: Readonly<Record<string, { values?: readonly string[]; many?: true; bare?: true }>> = {
  provider: { values: ["pihole"] },
  "pihole-server": {},
  "pihole-api-version": { values: ["6"] },
  source: { values: SOURCES, many: true },
  "domain-filter": { many: true },
  "regex-domain-filter": {},
  registry: { values: ["noop"] },
  policy: { values: ["sync", "upsert-only", "create-only"] },
  interval: {},
  events: { bare: true },
  "log-level": { values: ["panic", "debug", "info", "warning", "error", "fatal"] },
  "log-format": { values: ["text"] },
  // Of the kinds, Pi-hole knows these three.
  "managed-record-types": { values: ["A", "AAAA", "CNAME"], many: true },
};

/** First version that speaks Pi-hole's API of version 6. */
const FIRST_WITH_V6 = 17;

const flagError = (message: string): HomelabError => new HomelabError("E_EXTERNAL_DNS_FLAGS", message);

function readFlags(args: readonly string[], onUnmodelled: (what: string) => void): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const arg of args) {
    const [, name = arg, value] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    const known = FLAGS[name];
    if (known === undefined) {
      onUnmodelled(`the argument ${arg}`);
      throw flagError(`flag parsing error: unknown long flag '--${name}', try --help`);
    }
    if ((known.bare === true) !== (value === undefined))
      throw flagError(`flag parsing error: ${known.bare === true ? "unexpected" : "expected"} argument for flag '--${name}'`);
    if (found.has(name) && known.many !== true) throw flagError(`flag parsing error: flag '${name}' cannot be repeated`);
    if (known.values !== undefined && !known.values.includes(value ?? "")) {
      onUnmodelled(`--${name}=${value}`);
      throw flagError(`flag parsing error: enum value must be one of ${known.values.join(",")}, got '${value}'`);
    }
    found.set(name, [...(found.get(name) ?? []), value ?? ""]);
  }
  return found;
}

/** `1m30s` in milliseconds. */
function duration(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text) throw flagError(`flag parsing error: time: invalid duration "${text}"`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/**
 * @param version of the image, without `v`
 * @param onUnmodelled gets each flag that the lab does not model
 * @throws HomelabError E_EXTERNAL_DNS_FLAGS, with which the program ends
 */
export function parseSettings(version: string, args: readonly string[], onUnmodelled: (what: string) => void): Settings {
  const flags = readFlags(args, onUnmodelled);
  const one = (name: string): string | undefined => flags.get(name)?.[0];
  if (flags.has("pihole-api-version") && Number(version.split(".")[0]) === 0 && Number(version.split(".")[1]) < FIRST_WITH_V6)
    throw flagError("flag parsing error: unknown long flag '--pihole-api-version', try --help");
  for (const name of ["provider", "source"]) if (!flags.has(name)) throw flagError(`flag parsing error: required flag --${name} not provided`);
  if (one("pihole-api-version") !== "6") {
    onUnmodelled("the API of Pi-hole 5");
    throw flagError("the pages of Pi-hole 5 are gone: /admin/scripts/pi-hole/php/customdns.php answers 404");
  }
  const server = one("pihole-server");
  if (server === undefined) throw flagError("no pihole server found in the environment or flags");
  const regex = one("regex-domain-filter");
  const pattern = regex === undefined || regex === "" ? undefined : new RegExp(regex);
  const suffixes = flags.get("domain-filter") ?? [];
  return {
    sources: (flags.get("source") ?? []) as Source[],
    server,
    policy: (one("policy") ?? "sync") as Settings["policy"],
    intervalMs: duration(one("interval") ?? "1m"),
    events: flags.has("events"),
    // The regular expression takes the place of the suffixes.
    owns: (name) =>
      pattern === undefined
        ? suffixes.length === 0 || suffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix.replace(/^\./, "")}`))
        : pattern.test(name),
  };
}
