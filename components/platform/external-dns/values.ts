/** Values of the chart external-dns for Pi-hole 6. */
import type { ChartPin } from "../pins";

export const EXTERNAL_DNS_CHART = {
  repository: "https://kubernetes-sigs.github.io/external-dns",
  name: "external-dns",
  version: "1.21.1",
  why: "external-dns v0.21.0: the API of Pi-hole 6 needs 0.17; from 0.22 on the prefix of its annotations is another one",
  // Its CRD DNSEndpoint is not used: all records come from routes.
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

/** A regular expression, for Go and JavaScript, that matches exactly these names; without names it matches no name. */
export function namePattern(names: readonly string[]): string {
  const escaped = [...names].sort().map((name) => name.replaceAll(".", "\\."));
  return escaped.length === 0 ? "^$" : `^(${escaped.join("|")})$`;
}

/** Release of an instance for Cloudflare: for public or private addresses, and for names that are public or no longer so. */
export const publicRelease = (isPrivate: boolean, isFormer = false): string =>
  `external-dns-cloudflare${isPrivate ? "-private" : ""}${isFormer ? "-former" : ""}`;
/** Secret with the token of Cloudflare, and its key. */
export const CLOUDFLARE_SECRET = { name: "external-dns-cloudflare", key: "api-token" } as const;
/** Networks whose addresses nobody outside can reach (RFC 1918, RFC 6598, RFC 4193). */
const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

export interface PublicValuesArgs {
  environment: string;
  /** Name of the zone. */
  domain: string;
  /** Full names that are written. */
  names: readonly string[];
  istio: boolean;
  /** Whether addresses of private networks are written. */
  isPrivate: boolean;
  /** Whether nothing is written any more, and what this owner wrote is deleted. */
  isFormer?: boolean;
}

/** A label that no route has. An instance that selects by it finds no route, and so deletes all records of its owner. */
const NO_ROUTE = "homelab/former=none";

/** Values of an instance that writes to the domain's zone at Cloudflare. */
export function publicValues({ environment, domain, names, istio, isPrivate, isFormer = false }: PublicValuesArgs) {
  return {
    provider: { name: "cloudflare" },
    // Only Services can be selected by label in every version; Istio's sources cannot.
    sources: isFormer ? ["service"] : ["ingress", "service", ...(istio ? ["istio-gateway", "istio-virtualservice"] : [])],
    // A TXT record beside each record names its owner. Records of others stay; this instance's are deleted with their route.
    registry: "txt",
    txtOwnerId: `${environment}-${isPrivate ? "private" : "public"}`,
    txtPrefix: "owner.",
    policy: "sync",
    interval: "5m",
    triggerLoopOnEvent: true,
    // The filter must also match the zone itself: external-dns looks for Cloudflare's zones with it, since it replaces --domain-filter, and
    // writes no record of a zone that it does not match (provider/cloudflare/cloudflare.go and endpoint/domain_filter.go of external-dns).
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
    // Routes, and Services of the type LoadBalancer with an annotation for their name. external-dns exits if the kind of a source does not exist.
    sources: ["ingress", "service", ...(istio ? ["istio-gateway", "istio-virtualservice"] : [])],
    // Pi-hole stores no owners of records, and all clusters write to the same one. So each may write and delete its own names only: the
    // record of a removed route is deleted, and records that were entered by hand stay.
    registry: "noop",
    policy: "sync",
    interval: "1m",
    triggerLoopOnEvent: true,
    extraArgs: [`--pihole-server=${piholeUrl}`, "--pihole-api-version=6", `--regex-domain-filter=${namePattern(names)}`],
    // Read when it starts. It exits when Pi-hole refuses the password, and its container starts again with the current Secret.
    env: [{ name: "EXTERNAL_DNS_PIHOLE_PASSWORD", valueFrom: { secretKeyRef: { name: password.secret, key: password.key } } }],
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
  };
}
