/** Whether NetworkPolicies allow a connection. As Kubernetes documents, both ends must allow it. */

import { rangeOf } from "../../common/address-range";
import type { NamespacePolicy, PolicyPeer, PolicyPort } from "../../components/base/network-policy";

/** One end of a connection: a pod, or an address outside the pods. */
export type End = { readonly namespace: string; readonly labels?: Readonly<Record<string, string>> } | { readonly address: string };

export interface Connection {
  readonly from: End;
  readonly to: End;
  readonly port: number;
  readonly protocol?: "TCP" | "UDP";
}

function holds(network: string, address: string): boolean {
  const [outer, inner] = [rangeOf(network), rangeOf(address)];
  return outer !== undefined && inner !== undefined && outer.first <= inner.first && inner.last <= outer.last;
}

function isPeer(peer: PolicyPeer, end: End): boolean {
  if ("ipBlock" in peer) {
    if (!("address" in end)) return false;
    return holds(peer.ipBlock.cidr, end.address) && !(peer.ipBlock.except ?? []).some((network) => holds(network, end.address));
  }
  if ("address" in end) return false;
  const has = (labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).every(([key, value]) => labels[key] === value);
  const { namespaceSelector, podSelector } = peer;
  return (
    has({ "kubernetes.io/metadata.name": end.namespace }, namespaceSelector.matchLabels) &&
    (podSelector === undefined || has(end.labels ?? {}, podSelector.matchLabels))
  );
}

const lets = (peers: readonly PolicyPeer[], ports: readonly PolicyPort[], end: End, { port, protocol = "TCP" }: Connection): boolean =>
  peers.some((peer) => isPeer(peer, end)) && ports.some((one) => one.port <= port && port <= (one.endPort ?? one.port) && one.protocol === protocol);

/** @param policies by namespace; a namespace without one allows everything */
export function passes(policies: ReadonlyMap<string, NamespacePolicy>, connection: Connection): boolean {
  const { from, to } = connection;
  const out = "namespace" in from ? policies.get(from.namespace) : undefined;
  const into = "namespace" in to ? policies.get(to.namespace) : undefined;
  return (
    (out === undefined || out.egress.some((rule) => lets(rule.to, rule.ports, to, connection))) &&
    (into === undefined || into.ingress.some((rule) => lets(rule.from, rule.ports, from, connection)))
  );
}
