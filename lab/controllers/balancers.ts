/** Which address a Service of the type LoadBalancer has: the node's by k3s's own balancer, or one of MetalLB's pools while that runs. */
import type { KubeObject } from "../kubernetes";
import { at, listAt, numberAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const addressOf = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** First and last address of `a-b` or `a/bits`. */
function rangeOf(text: string): [number, number] {
  const [network = "", bits] = text.split("/");
  if (bits !== undefined) {
    const size = 2 ** (32 - Number(bits));
    const first = numberOf(network) - (numberOf(network) % size);
    return [first, first + size - 1];
  }
  const [first = "", last = first] = text.split("-");
  return [numberOf(first), numberOf(last)];
}

const addressIn = (service: KubeObject | undefined): string | undefined => textAt(service, "status", "loadBalancer", "ingress", 0, "ip");

/** A Deployment that is available and runs an image of this name. */
const running = (kube: Kube, image: RegExp): KubeObject | undefined =>
  kube
    .all("apps/v1", "Deployment")
    .find(
      (one) =>
        image.test(String(listAt(one, "spec", "template", "spec", "containers")[0]?.["image"] ?? "")) &&
        (numberAt(one, "status", "availableReplicas") ?? 0) > 0,
    );

const METALLB = /\/metallb\/controller[:@]/;
const TRAEFIK = /(^|\/)traefik[:@]/;

export const isBalancer = (service: KubeObject): boolean => textAt(service, "spec", "type") === "LoadBalancer";

/** Undefined where no controller assigns an address: the Service stays pending, as on a real cluster. */
export function balancerAddress(kube: Kube, service: KubeObject): string | undefined {
  if (!kube.cluster.disabled.includes("servicelb")) return kube.cluster.address;
  if (running(kube, METALLB) === undefined) return addressIn(service);
  const pools = kube.all("metallb.io/v1beta1", "IPAddressPool").flatMap((pool) => (at(pool, "spec", "addresses") as string[] | undefined) ?? []);
  const ranges = pools.map(rangeOf);
  const own = addressIn(service);
  if (own !== undefined && ranges.some(([first, last]) => numberOf(own) >= first && numberOf(own) <= last)) return own;
  const taken = new Set(
    kube
      .all("v1", "Service")
      .filter((other) => other.metadata.uid !== service.metadata.uid)
      .map(addressIn),
  );
  for (const [first, last] of ranges)
    for (let value = first; value <= last; value++) {
      // The first and the last address of a network belong to no host.
      if (value % 256 !== 0 && value % 256 !== 255 && !taken.has(addressOf(value))) return addressOf(value);
    }
  return undefined;
}

/** Where routes are served: at the node by k3s's own Traefik, else at the balancer of the one that a chart brought. */
export function routesAddress(kube: Kube): string | undefined {
  if (!kube.cluster.disabled.includes("traefik")) return kube.cluster.address;
  const namespace = running(kube, TRAEFIK)?.metadata.namespace;
  return namespace === undefined ? undefined : addressIn(kube.all("v1", "Service", namespace).find(isBalancer));
}
