/** What Traefik knows of one cluster: which service a request goes to, which certificate its host has. */
import type { KeyPair } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { routesAddress } from "./balancers";
import { decode64, type Kube } from "./kube";
import type { Programs } from "./programs";
import { endpointsOf, servesIngress, targetPort } from "./services";

/** Where a request ends. */
export type Destination =
  | { kind: "program"; port: number }
  /** For pods without a program of the lab, a page of the lab answers. */
  | { kind: "page"; text: string }
  /** No endpoints. */
  | { kind: "unavailable" };

/** Routes into a cluster by host name. */
export interface Routes {
  /** Whether they are served at this address. */
  isAt(address: string): boolean;
  /** Whether a route names the host. */
  has(host: string): boolean;
  /** The certificate of the host; undefined where there is none (yet). */
  certificate(host: string): KeyPair | undefined;
  /** undefined: no rule for it (404). */
  find(host: string, path: string): Destination | undefined;
}

/** Where requests to a port of a Service end. @param port its number or name */
export function destinationOf(
  kube: Kube,
  programs: Programs,
  { namespace, name, port: wanted }: { namespace: string | undefined; name: string; port: number | string | undefined },
): Destination {
  const service = kube.find("v1", "Service", namespace, name);
  const port = listAt(service, "spec", "ports").find((candidate) => candidate[typeof wanted === "number" ? "port" : "name"] === wanted);
  if (service === undefined || port === undefined) return { kind: "unavailable" };
  const pods = endpointsOf(kube, service);
  for (const pod of pods) {
    const target = targetPort(port, pod);
    const local = target === undefined ? undefined : programs.portOf(pod, target);
    if (local !== undefined) return { kind: "program", port: local };
  }
  return pods.length === 0
    ? { kind: "unavailable" }
    : { kind: "page", text: `${service.metadata.name} in ${namespace} of ${kube.cluster.name}: ${pods.length} pod(s) ready in the lab\n` };
}

const hostMatches = (rule: string | undefined, host: string): boolean =>
  rule === undefined || rule === "" || rule === host || (rule.startsWith("*.") && host.slice(host.indexOf(".") + 1) === rule.slice(2) && host.includes("."));

function pathMatches(path: JsonMap, requested: string): boolean {
  const wanted = textAt(path, "path") ?? "/";
  if (textAt(path, "pathType") === "Exact") return requested === wanted;
  const prefix = wanted.replace(/\/+$/, "");
  return requested === prefix || requested.startsWith(`${prefix}/`);
}

export class IngressRoutes implements Routes {
  constructor(
    private readonly kube: Kube,
    private readonly programs: Programs,
  ) {}

  #ingresses(): KubeObject[] {
    if (routesAddress(this.kube) === undefined) return [];
    return this.kube.all("networking.k8s.io/v1", "Ingress").filter((ingress) => servesIngress(this.kube, ingress));
  }

  /** Whether routes of the cluster are served at this address. */
  isAt(address: string): boolean {
    return routesAddress(this.kube) === address;
  }

  /** Whether an ingress names the host. */
  has(host: string): boolean {
    return this.#ingresses().some((ingress) =>
      listAt(ingress, "spec", "rules").some((rule) => textAt(rule, "host") !== undefined && hostMatches(textAt(rule, "host"), host)),
    );
  }

  /** The certificate of the host's Secret; undefined where there is none (yet): then Traefik shows its own. */
  certificate(host: string): KeyPair | undefined {
    for (const ingress of this.#ingresses()) {
      for (const tls of listAt(ingress, "spec", "tls")) {
        const hosts = tls["hosts"];
        if (!Array.isArray(hosts) || !hosts.some((name) => hostMatches(String(name), host))) continue;
        const secret = this.kube.find("v1", "Secret", ingress.metadata.namespace, textAt(tls, "secretName") ?? "");
        const [cert, key] = [textAt(secret, "data", "tls.crt"), textAt(secret, "data", "tls.key")];
        if (cert !== undefined && key !== undefined) return { cert: decode64(cert), key: decode64(key) };
      }
    }
    return undefined;
  }

  /** undefined: no rule for it (404). */
  find(host: string, path: string): Destination | undefined {
    let best: { length: number; ingress: KubeObject; backend: JsonMap } | undefined;
    for (const ingress of this.#ingresses())
      for (const rule of listAt(ingress, "spec", "rules")) {
        if (!hostMatches(textAt(rule, "host"), host)) continue;
        for (const candidate of listAt(rule, "http", "paths")) {
          const length = (textAt(candidate, "path") ?? "/").length;
          if (pathMatches(candidate, path) && length > (best?.length ?? 0)) best = { length, ingress, backend: mapAt(candidate, "backend", "service") };
        }
      }
    if (best === undefined) return undefined;
    const { ingress, backend } = best;
    const [name = "", port] = [textAt(backend, "name"), numberAt(backend, "port", "number") ?? textAt(backend, "port", "name")];
    return destinationOf(this.kube, this.programs, { namespace: ingress.metadata.namespace, name, port });
  }
}
