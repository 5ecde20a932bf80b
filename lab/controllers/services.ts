/** Endpoints of services, the load balancer of k3s (servicelb) and the addresses that Traefik gives ingresses. */
import type { KubeObject } from "../kubernetes";
import { type JsonMap, listAt, mapAt, same, textAt } from "../kubernetes/objects";
import { balancerAddress, isBalancer, routesAddress } from "./balancers";
import { hashOf, isReady, type Kube, ownerOf } from "./kube";
import type { WorkQueue } from "./queue";

/** Pods that a service sends to, ready or not. */
function podsOf(kube: Kube, service: KubeObject): KubeObject[] {
  const selector = mapAt(service, "spec", "selector");
  if (Object.keys(selector).length === 0) return [];
  return kube
    .all("v1", "Pod", service.metadata.namespace)
    .filter((pod) => textAt(pod, "status", "phase") === "Running" && Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value));
}

/** Pods that get the service's connections now. */
export function endpointsOf(kube: Kube, service: KubeObject): KubeObject[] {
  const all = mapAt(service, "spec")["publishNotReadyAddresses"] === true;
  return podsOf(kube, service).filter((pod) => all || isReady(pod));
}

/** The container's port that a service's port leads to. */
export function targetPort(port: JsonMap, pod: KubeObject): number | undefined {
  const target = port["targetPort"] ?? port["port"];
  if (typeof target === "number") return target;
  const ports = listAt(pod, "spec", "containers").flatMap((container) => listAt(container, "ports"));
  const found = ports.find((other) => other["name"] === target)?.["containerPort"];
  return typeof found === "number" ? found : undefined;
}

interface Address {
  pod: KubeObject;
  ready: boolean;
}

/** Groups addresses that have the same ports. */
function grouped(service: KubeObject, addresses: readonly Address[]): { ports: JsonMap[]; addresses: Address[] }[] {
  const groups = new Map<string, { ports: JsonMap[]; addresses: Address[] }>();
  for (const address of addresses) {
    const ports = listAt(service, "spec", "ports").flatMap((port) => {
      const target = targetPort(port, address.pod);
      return target === undefined
        ? []
        : [{ ...(typeof port["name"] === "string" ? { name: port["name"] } : {}), port: target, protocol: String(port["protocol"] ?? "TCP") }];
    });
    const id = JSON.stringify(ports);
    const group: { ports: JsonMap[]; addresses: Address[] } = groups.get(id) ?? { ports, addresses: [] };
    group.addresses.push(address);
    groups.set(id, group);
  }
  return [...groups.values()];
}

const targetRef = (pod: KubeObject): JsonMap => ({
  kind: "Pod",
  namespace: pod.metadata.namespace ?? "",
  name: pod.metadata.name,
  uid: pod.metadata.uid ?? "",
});

export class Services {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
  ) {
    for (const kind of ["IPAddressPool", "Deployment"]) queue.on(kind, () => this.#balancers());
    queue.on("Service", (namespace, name) => this.#service(namespace, name));
    queue.on("Ingress", (namespace, name) => this.#ingress(namespace, name));
  }

  #put(desired: KubeObject): void {
    const found = this.kube.find(desired.apiVersion, desired.kind, desired.metadata.namespace, desired.metadata.name);
    if (found === undefined) this.kube.create(desired);
    else {
      const { metadata: _, ...content } = desired;
      const live = Object.fromEntries(Object.keys(content).map((key) => [key, found[key]]));
      const dropped = desired.kind === "Endpoints" && desired["subsets"] === undefined && found["subsets"] !== undefined;
      if (!same(content, live) || dropped) this.kube.modify(found, (current) => ({ ...desired, metadata: current.metadata }));
    }
  }

  #service(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const service = kube.find("v1", "Service", namespace, name);
    if (service === undefined) {
      const endpoints = kube.find("v1", "Endpoints", namespace, name);
      if (endpoints !== undefined) kube.remove(endpoints);
      return;
    }
    if (service.metadata.deletionTimestamp !== undefined) return;
    if (isBalancer(service)) this.#balance(service);
    if (Object.keys(mapAt(service, "spec", "selector")).length === 0) return;
    const published = endpointsOf(kube, service);
    const groups = grouped(
      service,
      podsOf(kube, service).map((pod) => ({ pod, ready: published.includes(pod) })),
    );
    this.#endpoints(service, groups);
    this.#slice(service, groups);
  }

  #balance(service: KubeObject): void {
    const { kube } = this;
    const ip = balancerAddress(kube, service);
    if (ip === undefined) return;
    kube.status(service, { loadBalancer: { ingress: [{ ip, ipMode: "VIP" }] } });
    // A route has the address of the balancer of its ingress controller.
    if (kube.cluster.disabled.includes("traefik"))
      for (const { metadata } of kube.all("networking.k8s.io/v1", "Ingress")) this.queue.add("Ingress", metadata.namespace, metadata.name);
  }

  /** Something that assigns addresses was created or deleted. */
  #balancers(): void {
    if (!this.kube.cluster.disabled.includes("servicelb")) return;
    for (const service of this.kube.all("v1", "Service")) if (isBalancer(service)) this.queue.add("Service", service.metadata.namespace, service.metadata.name);
  }

  #endpoints(service: KubeObject, groups: readonly { ports: JsonMap[]; addresses: Address[] }[]): void {
    const entry = ({ pod }: Address): JsonMap => ({ ip: textAt(pod, "status", "podIP") ?? "", nodeName: this.kube.cluster.node, targetRef: targetRef(pod) });
    const subsets = groups.map(({ ports, addresses }) => {
      const [up, down] = [addresses.filter(({ ready }) => ready).map(entry), addresses.filter(({ ready }) => !ready).map(entry)];
      return { ...(up.length > 0 ? { addresses: up } : {}), ...(down.length > 0 ? { notReadyAddresses: down } : {}), ports };
    });
    const { name, namespace = "default", labels } = service.metadata;
    this.#put({
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name, namespace, labels: { ...labels, "endpoints.kubernetes.io/managed-by": "endpoint-controller" } },
      ...(subsets.length > 0 ? { subsets } : {}),
    });
  }

  #slice(service: KubeObject, groups: readonly { ports: JsonMap[]; addresses: Address[] }[]): void {
    const { name, namespace = "default", uid } = service.metadata;
    const labels = { "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" };
    const wanted = groups.length > 0 ? groups : [{ ports: [], addresses: [] }];
    const names = new Set<string>();
    for (const { ports, addresses } of wanted) {
      const sliceName = `${name}-${hashOf([uid, ports], 5)}`;
      names.add(sliceName);
      this.#put({
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: sliceName, namespace, labels, ownerReferences: [ownerOf(service)] },
        addressType: "IPv4",
        endpoints: addresses.map(({ pod, ready }) => ({
          addresses: [textAt(pod, "status", "podIP") ?? ""],
          conditions: { ready, serving: ready, terminating: false },
          nodeName: this.kube.cluster.node,
          targetRef: targetRef(pod),
        })),
        ports,
      });
    }
    for (const slice of this.kube.owned("discovery.k8s.io/v1", "EndpointSlice", service)) if (!names.has(slice.metadata.name)) this.kube.remove(slice);
  }

  /** Traefik answers for its own class, and for ingresses without one when it is the default. */
  #ingress(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const ingress = kube.find("networking.k8s.io/v1", "Ingress", namespace, name);
    if (ingress === undefined || !servesIngress(kube, ingress)) return;
    const ip = routesAddress(kube);
    if (ip !== undefined) kube.status(ingress, { loadBalancer: { ingress: [{ ip }] } });
  }
}

/** Whether Traefik routes for this ingress. */
export function servesIngress(kube: Kube, ingress: KubeObject): boolean {
  const given = textAt(ingress, "spec", "ingressClassName") ?? ingress.metadata.annotations?.["kubernetes.io/ingress.class"];
  const classes = kube.all("networking.k8s.io/v1", "IngressClass");
  const chosen = given ?? classes.find(({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true")?.metadata.name;
  return classes.some((found) => found.metadata.name === chosen && textAt(found, "spec", "controller") === "traefik.io/ingress-controller");
}
