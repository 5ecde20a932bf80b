/** The input of a platform's plan, for tests of one module: a small k3s cluster at 10.20.0.12, with the test's changes. */
import type { PlatformInput } from "../../stacks/plan/platform-types";
import { PLACE } from "./module-build";

export function platformInputFor(more: Partial<PlatformInput> & Pick<PlatformInput, "row">): PlatformInput {
  const { kinds: _kinds, hostNames: _names, routeNames: _routeNames, routes: _routes, distribution, ...place } = PLACE;
  return {
    place,
    cluster: {
      distribution,
      title: "k3s",
      version: "v1.36.2+k3s1",
      capabilities: ["ingress", "load-balancer", "network-policy", "metrics"],
      storageClasses: ["local-path"],
      ingressClasses: ["traefik"],
    },
    applications: [],
    machines: [{ name: "k8s-one", cores: 4, memoryMiB: 8192, diskGiB: 100 }],
    network: { subnet: "10.20.0.0/24", nodes: ["10.20.0.12"] },
    given: new Map(),
    addresses: new Map([["10.20.0.12", "k8s-one"]]),
    ...more,
  };
}
