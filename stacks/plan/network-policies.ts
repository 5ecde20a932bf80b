/**
 * NetworkPolicies from declared flows: one policy for all pods of each namespace. It allows the declared connections and the cluster's
 * DNS, and refuses the rest in both directions. Plain data; loads no Pulumi SDK.
 */

import { rangeOf, rangesMeet } from "../../common/address-range";
import type { EgressRule, IngressRule, NamespacePolicy, PolicyPeer, PolicyPort } from "../../components/base/network-policy";
import type { RoutePods } from "../../components/clusters/cluster-types";
import type { Flow } from "../../components/platform/module";
import type { NetworkFacts } from "./platform-types";

/** A flow with the namespace that it is about, and the module or application that declares it. */
export interface OwnedFlow extends Flow {
  readonly of: string;
  readonly owner: string;
}

export interface FlowInput {
  readonly environment: string;
  readonly domain: string;
  readonly network: NetworkFacts;
  /** Where routes are served from; undefined where the cluster serves none. */
  readonly routes: RoutePods | undefined;
  /** Namespaces of the pods that forward the traffic of the cluster's load balancers, if pods do that. */
  readonly balancers: readonly string[];
  /** All namespaces that the program makes. */
  readonly namespaces: readonly string[];
  readonly flows: readonly OwnedFlow[];
}

const LAST_PORT = 65_535;
/** Address ranges that are not on the internet (RFC 1918, 6598, 3927, 5735). */
const PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

const namespaceLabels = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
const block = (cidr: string): PolicyPeer => ({ ipBlock: { cidr } });

/** The cluster's DNS, in every distribution. */
const DNS: EgressRule = {
  to: [{ ...namespaceLabels("kube-system"), podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

/** Whether two networks or addresses overlap. */
function meets(a: string, b: string): boolean {
  const [first, second] = [rangeOf(a), rangeOf(b)];
  return first !== undefined && second !== undefined && rangesMeet(first, second);
}

interface Ends {
  readonly peers: readonly PolicyPeer[];
  /** Further ports that a packet may have when it gets there. */
  readonly ports: readonly number[];
}

const routePods = ({ namespace, labels }: RoutePods): PolicyPeer => ({
  ...namespaceLabels(namespace),
  ...(Object.keys(labels).length === 0 ? {} : { podSelector: { matchLabels: labels } }),
});

/**
 * The machines of the homelab, and the load balancers of this cluster. What a pod sends to a node's own address is forwarded to a pod of
 * the balancer, and policies see the packet only after that (k3s's ServiceLB; Traefik's ports are 8000 and 8443).
 */
const homelab = ({ network, routes, balancers }: FlowInput): Ends => ({
  peers: [block(network.subnet), ...[...new Set([...balancers, ...(routes === undefined ? [] : [routes.namespace])])].map(namespaceLabels)],
  ports: routes?.ports ?? [],
});

const internet = ({ network }: FlowInput): Ends => ({
  peers: [{ ipBlock: { cidr: "0.0.0.0/0", except: [...new Set([...PRIVATE, network.subnet])].toSorted() } }],
  ports: [],
});

/** Whether it goes to the homelab's machines, or a name below its domain. */
function isToHomelab({ peer }: OwnedFlow, { domain, network }: FlowInput): boolean {
  if (peer === "homelab") return true;
  if (!/^https?:\/\//.test(peer)) return false;
  const { hostname } = new URL(peer);
  return rangeOf(hostname) === undefined ? hostname === domain || hostname.endsWith(`.${domain}`) : meets(hostname, network.subnet);
}

/** The other end of a flow. Undefined for a namespace that the environment does not have. */
function endsOf(flow: OwnedFlow, input: FlowInput): Ends | undefined {
  const { peer } = flow;
  if (peer === "cluster") return { peers: input.network.nodes.map((address) => block(`${address}/32`)), ports: [] };
  if (peer === "routes") return { peers: input.routes === undefined ? [] : [routePods(input.routes)], ports: [] };
  if (peer === "homelab") return homelab(input);
  if (peer.includes("/") && rangeOf(peer) !== undefined) return { peers: [block(peer)], ports: [] };
  if (/^https?:\/\//.test(peer)) {
    const { hostname } = new URL(peer);
    if (isToHomelab(flow, input)) return homelab(input);
    return rangeOf(hostname) === undefined ? internet(input) : { peers: [block(`${hostname}/32`)], ports: [] };
  }
  return input.namespaces.includes(peer) ? { peers: [namespaceLabels(peer)], ports: [] } : undefined;
}

/** What is wrong with the flows, each with environment and who declares it. */
export function flowProblems(input: FlowInput): string[] {
  return input.flows.flatMap((flow) => {
    const at = `${input.environment}: ${flow.owner}: the flow "${flow.why}"`;
    const unknown =
      flow.of === "node" || input.namespaces.includes(flow.of) ? [] : [`${at} is about the namespace ${flow.of}, which ${flow.owner} does not make`];
    const { port, endPort } = flow;
    if (endPort !== undefined && (endPort < port || endPort > LAST_PORT))
      return [...unknown, `${at} has the ports ${port} to ${endPort}, which are no range; its end is between its beginning and ${LAST_PORT}`];
    if (endsOf(flow, input) !== undefined) return unknown;
    const peers = `a namespace (${input.namespaces.join(", ")}), cluster, routes, homelab, a CIDR or a URL`;
    return [...unknown, `${at} is with "${flow.peer}", which ${input.environment} does not have; the other end is ${peers}`];
  });
}

/** Rules with the same ends as one, in a fixed order. */
function merged(rules: readonly { ends: readonly PolicyPeer[]; ports: readonly PolicyPort[] }[]): { ends: readonly PolicyPeer[]; ports: PolicyPort[] }[] {
  const byEnds = new Map<string, { ends: readonly PolicyPeer[]; ports: Map<string, PolicyPort> }>();
  for (const { ends, ports } of rules) {
    const key = JSON.stringify(ends);
    const rule = byEnds.get(key) ?? { ends, ports: new Map<string, PolicyPort>() };
    for (const port of ports) rule.ports.set(`${port.port} ${port.endPort ?? port.port} ${port.protocol}`, port);
    byEnds.set(key, rule);
  }
  const byPort = (a: PolicyPort, b: PolicyPort): number => a.port - b.port || (a.endPort ?? 0) - (b.endPort ?? 0) || (a.protocol < b.protocol ? -1 : 1);
  return [...byEnds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { ends, ports }]) => ({ ends, ports: [...ports.values()].toSorted(byPort) }));
}

const portsOf = ({ port, endPort, protocol = "TCP" }: Flow, more: readonly number[] = []): PolicyPort[] => [
  { protocol, port, ...(endPort === undefined ? {} : { endPort }) },
  ...more.map((one) => ({ protocol, port: one })),
];

/** The policy of each namespace. @param input whose {@link flowProblems} are none */
export function networkPolicies(input: FlowInput): Map<string, NamespacePolicy> {
  const policyOf = (namespace: string): NamespacePolicy => {
    const own = input.flows.filter(({ of }) => of === namespace);
    // Flows to this namespace that another one declares.
    const sent = input.flows.filter(({ direction, peer, of }) => direction === "out" && peer === namespace && of !== "node");
    // Flows from this namespace that another one declares.
    const servesRoutes = input.routes?.namespace === namespace;
    const taken = input.flows.filter(
      ({ direction, peer, of }) => direction === "in" && (peer === namespace || (peer === "routes" && servesRoutes)) && of !== "node",
    );
    // A connection to a name of the homelab may end at this cluster's own load balancer.
    const hasPorts = servesRoutes && (input.routes?.ports.length ?? 0) > 0;
    const balanced = hasPorts ? input.flows.filter((flow) => flow.direction === "out" && flow.of !== "node" && isToHomelab(flow, input)) : [];
    const rule = (flow: OwnedFlow) => {
      const { peers, ports } = endsOf(flow, input) ?? { peers: [], ports: [] };
      return { ends: peers, ports: portsOf(flow, flow.direction === "out" ? ports : []) };
    };
    const between = (flow: OwnedFlow) => ({ ends: [namespaceLabels(flow.of)], ports: portsOf(flow) });
    const through = (flow: OwnedFlow) => ({
      ends: [namespaceLabels(flow.of)],
      ports: (input.routes?.ports ?? []).map((port) => ({ protocol: "TCP" as const, port })),
    });
    const ingress = merged(
      [...own.filter(({ direction }) => direction === "in").map(rule), ...sent.map(between), ...balanced.map(through)].filter(({ ends }) => ends.length > 0),
    );
    const egress = merged([...own.filter(({ direction }) => direction === "out").map(rule), ...taken.map(between)].filter(({ ends }) => ends.length > 0));
    return {
      ingress: ingress.map(({ ends, ports }): IngressRule => ({ from: ends, ports })),
      egress: [DNS, ...egress.map(({ ends, ports }): EgressRule => ({ to: ends, ports }))],
    };
  };
  return new Map(input.namespaces.map((name) => [name, policyOf(name)]));
}
