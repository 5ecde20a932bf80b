/** What Istio's gateway knows of one cluster: which service a request goes to, which certificate its host has. */
import type { KeyPair } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { type Destination, destinationOf, type Routes } from "./ingress-routes";
import { decode64, isReady, type Kube } from "./kube";
import type { Programs } from "./programs";

const API = "networking.istio.io/v1";
/** Fields of a VirtualService and of its routes that the lab models. */
const KNOWN = ["hosts", "gateways", "http"];
const KNOWN_ROUTE = ["route", "name"];

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
/** `*`, `*.example.org`, a name; a namespace before it says for whose routes it is. */
const covers = (pattern: string, host: string): boolean => {
  const plain = pattern.replace(/^[^/]*\//, "");
  return plain === "*" || plain === host || (plain.startsWith("*.") && host.endsWith(plain.slice(1)));
};

export class IstioRoutes implements Routes {
  constructor(
    private readonly kube: Kube,
    private readonly programs: Programs,
    private readonly onUnmodelled: (what: string) => void,
  ) {}

  #has(kind: string): boolean {
    return this.kube.store.types.byKind(API, kind) !== undefined;
  }

  /** Gateways whose pods run. */
  #gateways(): { gateway: KubeObject; pod: KubeObject }[] {
    if (!this.#has("Gateway")) return [];
    return this.kube.all(API, "Gateway").flatMap((gateway) => {
      const wanted = Object.entries(mapAt(gateway, "spec", "selector"));
      const pod = this.kube.all("v1", "Pod").find((one) => isReady(one) && wanted.every(([key, value]) => one.metadata.labels?.[key] === value));
      return pod === undefined || wanted.length === 0 ? [] : [{ gateway, pod }];
    });
  }

  /** The HTTPS server for the host, with the namespace of its pods. */
  #server(host: string, name?: string): { server: JsonMap; namespace: string | undefined } | undefined {
    for (const { gateway, pod } of this.#gateways()) {
      if (name !== undefined && `${gateway.metadata.namespace}/${gateway.metadata.name}` !== name) continue;
      const server = listAt(gateway, "spec", "servers").find(
        (one) => textAt(one, "port", "protocol") === "HTTPS" && texts(at(one, "hosts")).some((pattern) => covers(pattern, host)),
      );
      if (server !== undefined) return { server, namespace: pod.metadata.namespace };
    }
    return undefined;
  }

  isAt(address: string): boolean {
    const pods = this.#gateways().map(({ pod }) => pod);
    return this.kube
      .all("v1", "Service")
      .filter((service) => listAt(service, "status", "loadBalancer", "ingress").some(({ ip }) => ip === address))
      .some((service) => {
        const wanted = Object.entries(mapAt(service, "spec", "selector"));
        return wanted.length > 0 && pods.some((pod) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value));
      });
  }

  has(host: string): boolean {
    return this.#server(host) !== undefined;
  }

  certificate(host: string): KeyPair | undefined {
    const found = this.#server(host);
    const secret = found && this.kube.find("v1", "Secret", found.namespace, textAt(found.server, "tls", "credentialName") ?? "");
    const [cert, key] = [textAt(secret, "data", "tls.crt"), textAt(secret, "data", "tls.key")];
    return cert === undefined || key === undefined ? undefined : { cert: decode64(cert), key: decode64(key) };
  }

  find(host: string): Destination | undefined {
    if (!this.#has("VirtualService")) return undefined;
    const service = this.kube
      .all(API, "VirtualService")
      .find(
        ({ spec }) =>
          texts(at(spec, "hosts")).some((pattern) => covers(pattern, host)) &&
          texts(at(spec, "gateways")).some((gateway) => this.#server(host, gateway) !== undefined),
      );
    if (service === undefined) return undefined;
    const [first] = listAt(service, "spec", "http");
    const strange = [
      ...Object.keys(mapAt(service, "spec")).filter((key) => !KNOWN.includes(key)),
      ...Object.keys(first ?? {}).filter((key) => !KNOWN_ROUTE.includes(key)),
    ];
    if (strange.length > 0) this.onUnmodelled(`${strange.join(", ")} of the VirtualService ${service.metadata.name}`);
    const to = mapAt(listAt(first, "route")[0], "destination");
    const [name = "", namespace = service.metadata.namespace] = (textAt(to, "host") ?? "").split(".");
    return destinationOf(this.kube, this.programs, { namespace, name, port: numberAt(to, "port", "number") });
  }
}
