/** Values of the chart external-dns for Pi-hole 6. */
import type { ChartPin } from "../pins";

export const EXTERNAL_DNS_CHART = {
  repository: "https://kubernetes-sigs.github.io/external-dns",
  name: "external-dns",
  version: "1.21.1",
  why: "external-dns v0.21.0: the API of Pi-hole 6 needs 0.17; from 0.22 on the prefix of its annotations is another one",
  // The kind DNSEndpoint: all records come from routes here.
  crdsFolder: "leave-out",
} as const satisfies ChartPin;

export interface ExternalDnsValuesArgs {
  piholeUrl: string;
  /** Full names that this cluster's routes may have. No other name is written or deleted. */
  names: readonly string[];
  /** Whether the cluster has Istio's routes. */
  istio: boolean;
  /** Kubernetes Secret and key of Pi-hole's password. */
  password: { secret: string; key: string };
}

/** Exactly these names, for Go's and JavaScript's regular expressions alike; without names one that matches nothing. */
export function namePattern(names: readonly string[]): string {
  const escaped = [...names].sort().map((name) => name.replaceAll(".", "\\."));
  return escaped.length === 0 ? "^$" : `^(${escaped.join("|")})$`;
}

/** Of the chart's instance for Cloudflare: names whose address may be a private one, or not; and those that are public no more. */
export const publicRelease = (isPrivate: boolean, isFormer = false): string =>
  `external-dns-cloudflare${isPrivate ? "-private" : ""}${isFormer ? "-former" : ""}`;
/** Secret with the token of Cloudflare, and its key. */
export const CLOUDFLARE_SECRET = { name: "external-dns-cloudflare", key: "api-token" } as const;
/** Networks of which nobody outside can reach an address (RFC 1918, RFC 6598, RFC 4193). */
const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

export interface PublicValuesArgs {
  environment: string;
  /** Name of the zone. */
  domain: string;
  /** Full names that are written. */
  names: readonly string[];
  istio: boolean;
  /** Addresses of private networks are written. */
  isPrivate: boolean;
  /** Nothing is written any more, and what this owner wrote is deleted. */
  isFormer?: boolean;
}

/** A label that no route has: an instance that looks for it finds none, and so deletes all records that are its owner's. */
const NO_ROUTE = "homelab/former=none";

/** Values of an instance that writes to the domain's zone at Cloudflare. */
export function publicValues({ environment, domain, names, istio, isPrivate, isFormer = false }: PublicValuesArgs) {
  return {
    provider: { name: "cloudflare" },
    // Services alone can be chosen by a label in every version (Istio's sources cannot).
    sources: isFormer ? ["service"] : ["ingress", "service", ...(istio ? ["istio-gateway", "istio-virtualservice"] : [])],
    // Beside each record lies a text that says whose it is: what others wrote stays, and what was this instance's goes with its route.
    registry: "txt",
    txtOwnerId: `${environment}-${isPrivate ? "private" : "public"}`,
    txtPrefix: "owner.",
    policy: "sync",
    interval: "5m",
    triggerLoopOnEvent: true,
    // The zone as well: Cloudflare's zones are looked for with the same filter, which takes the place of --domain-filter, and no record of
    // a zone that it leaves out is written (provider/cloudflare/cloudflare.go and endpoint/domain_filter.go of external-dns).
    extraArgs: [
      `--regex-domain-filter=${namePattern([domain, ...names])}`,
      ...(isFormer ? [`--label-filter=${NO_ROUTE}`] : []),
      ...(isPrivate || isFormer ? [] : PRIVATE_NETWORKS.map((network) => `--exclude-target-net=${network}`)),
    ],
    env: [{ name: "CF_API_TOKEN", valueFrom: { secretKeyRef: CLOUDFLARE_SECRET } }],
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
  };
}

export function externalDnsValues({ piholeUrl, names, istio, password }: ExternalDnsValuesArgs) {
  return {
    provider: { name: "pihole" },
    // Routes, and Services of the type LoadBalancer that say their name by an annotation. It ends where a source's kind is not there.
    sources: ["ingress", "service", ...(istio ? ["istio-gateway", "istio-virtualservice"] : [])],
    // Pi-hole stores no owners of records, and all clusters write to the same one. Each may therefore write and delete its own names
    // only: the record of a removed route is deleted, and records that were entered by hand stay.
    registry: "noop",
    policy: "sync",
    interval: "1m",
    triggerLoopOnEvent: true,
    extraArgs: [`--pihole-server=${piholeUrl}`, "--pihole-api-version=6", `--regex-domain-filter=${namePattern(names)}`],
    // Read at its start. It ends when Pi-hole refuses a password, and its container starts with the Secret of that day.
    env: [{ name: "EXTERNAL_DNS_PIHOLE_PASSWORD", valueFrom: { secretKeyRef: { name: password.secret, key: password.key } } }],
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
  };
}
