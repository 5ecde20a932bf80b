/** What external-dns does about the difference between routes and records. */
import type { KubeObject } from "../kubernetes";
import { at, listAt, textAt } from "../kubernetes/objects";
import type { Settings } from "./flags";

export type RecordType = "A" | "AAAA" | "CNAME";

export interface Endpoint {
  name: string;
  type: RecordType;
  targets: string[];
}

export interface Changes {
  create: Endpoint[];
  /** The existing record, and the one that replaces it. */
  update: { old: Endpoint; new: Endpoint }[];
  delete: Endpoint[];
}

const typeOf = (target: string): RecordType => (/^(\d{1,3}\.){3}\d{1,3}$/.test(target) ? "A" : target.includes(":") ? "AAAA" : "CNAME");

/** Endpoints with one name and type as one. */
export function mergedEndpoints(endpoints: readonly Endpoint[]): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const { name, type, targets } of endpoints) {
    const known = found.get(`${type} ${name}`);
    found.set(`${type} ${name}`, { name, type, targets: [...new Set([...(known?.targets ?? []), ...targets])].sort() });
  }
  return [...found.values()];
}

const HOSTNAME = "external-dns.alpha.kubernetes.io/hostname";

/** The program's own annotations. @param known those that are modelled here */
function annotationsOf({ metadata }: KubeObject, known: readonly string[], onUnmodelled: (what: string) => void): Record<string, string> {
  const own = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith("external-dns."));
  for (const [key] of own) if (!known.includes(key)) onUnmodelled(`the annotation ${key}`);
  return Object.fromEntries(own);
}

/** The names at the addresses of the status. */
function namedAt(object: KubeObject, names: readonly string[]): Endpoint[] {
  const targets = listAt(object, "status", "loadBalancer", "ingress").flatMap((each) => textAt(each, "ip") ?? textAt(each, "hostname") ?? []);
  return names.flatMap((name) => targets.map((target): Endpoint => ({ name: name.toLowerCase(), type: typeOf(target), targets: [target] })));
}

/** Hosts of rules and of TLS entries, at the addresses that the ingress controller wrote into the status. */
export function ingressEndpoints(ingresses: readonly KubeObject[], onUnmodelled: (what: string) => void): Endpoint[] {
  return ingresses.flatMap((ingress) => {
    annotationsOf(ingress, [], onUnmodelled);
    const tls = listAt(ingress, "spec", "tls").flatMap((entry) => {
      const hosts = at(entry, "hosts");
      return Array.isArray(hosts) ? hosts.map(String) : [];
    });
    const hosts = new Set([...listAt(ingress, "spec", "rules").flatMap((rule) => textAt(rule, "host") ?? []), ...tls]);
    return namedAt(ingress, [...hosts]);
  });
}

/** Names that the annotation of a Service gives it, at the addresses of its balancer. A Service without the annotation has no name. */
export function serviceEndpoints(services: readonly KubeObject[], onUnmodelled: (what: string) => void): Endpoint[] {
  return services.flatMap((service) => {
    const names =
      annotationsOf(service, [HOSTNAME], onUnmodelled)
        [HOSTNAME]?.split(",")
        .map((name) => name.trim()) ?? [];
    if (names.length > 0 && textAt(service, "spec", "type") !== "LoadBalancer") {
      onUnmodelled(`the annotation ${HOSTNAME} on a Service of another type than LoadBalancer`);
      return [];
    }
    return namedAt(service, names);
  });
}

/** Istio's routes, as far as names come from them. */
export interface IstioObjects {
  readonly gateways: readonly KubeObject[];
  readonly virtualServices: readonly KubeObject[];
  readonly services: readonly KubeObject[];
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const isName = (host: string): boolean => host !== "*" && !host.startsWith("*.");

/** Hosts at the addresses of the load balancers that select the same pods as the gateway. */
function atGateway(gateway: KubeObject, hosts: readonly string[], services: readonly KubeObject[]): Endpoint[] {
  const wanted = Object.entries(at(gateway, "spec", "selector") ?? {});
  const balancers = services.filter((service) => wanted.every(([key, value]) => at(service, "spec", "selector", key) === value));
  return balancers.flatMap((service) => namedAt(service, hosts.filter(isName)));
}

export function gatewayEndpoints({ gateways, services }: IstioObjects, onUnmodelled: (what: string) => void): Endpoint[] {
  return gateways.flatMap((gateway) => {
    annotationsOf(gateway, [], onUnmodelled);
    const hosts = listAt(gateway, "spec", "servers").flatMap((server) => texts(at(server, "hosts")).map((host) => host.replace(/^[^/]*\//, "")));
    return atGateway(gateway, [...new Set(hosts)], services);
  });
}

export function virtualServiceEndpoints({ gateways, virtualServices, services }: IstioObjects, onUnmodelled: (what: string) => void): Endpoint[] {
  return virtualServices.flatMap((route) => {
    annotationsOf(route, [], onUnmodelled);
    const named = texts(at(route, "spec", "gateways")).map((name) => (name.includes("/") ? name : `${route.metadata.namespace}/${name}`));
    return gateways
      .filter(({ metadata }) => named.includes(`${metadata.namespace}/${metadata.name}`))
      .flatMap((gateway) => atGateway(gateway, texts(at(route, "spec", "hosts")), services));
  });
}

/** Records of Pi-hole: lines `ADDRESS NAME` and `NAME,TARGET[,TTL]`. Of a line with more names the program sees the first. */
export function currentEndpoints(hosts: readonly string[], cnameRecords: readonly string[]): Endpoint[] {
  return mergedEndpoints([
    ...hosts.flatMap((line): Endpoint[] => {
      const [target, name] = line.split(/[ ,]+/).filter((part) => part !== "");
      return target === undefined || name === undefined ? [] : [{ name, type: typeOf(target), targets: [target] }];
    }),
    ...cnameRecords.flatMap((line): Endpoint[] => {
      const [name, target] = line.split(/[ ,]+/).filter((part) => part !== "");
      return target === undefined || name === undefined ? [] : [{ name, type: "CNAME", targets: [target] }];
    }),
  ]);
}

export function planChanges({ owns, policy }: Settings, desired: readonly Endpoint[], current: readonly Endpoint[]): Changes {
  const key = ({ type, name }: Endpoint): string => `${type} ${name}`;
  const there = new Map(current.filter(({ name }) => owns(name)).map((endpoint) => [key(endpoint), endpoint]));
  const changes: Changes = { create: [], update: [], delete: [] };
  for (const endpoint of desired) {
    if (!owns(endpoint.name)) continue;
    const known = there.get(key(endpoint));
    there.delete(key(endpoint));
    if (known === undefined) changes.create.push(endpoint);
    else if (policy !== "create-only" && known.targets.join() !== endpoint.targets.join()) changes.update.push({ old: known, new: endpoint });
  }
  if (policy === "sync") changes.delete.push(...there.values());
  return changes;
}
