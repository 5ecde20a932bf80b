/** A NetworkPolicy of a namespace as data: the part of `networking.k8s.io/v1` that this project uses. Types only. */

export interface PolicyPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
  /** Last port of a range that begins with `port`. */
  readonly endPort?: number;
}

export type PolicyPeer =
  | { readonly ipBlock: { readonly cidr: string; readonly except?: readonly string[] } }
  | {
      readonly namespaceSelector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
    };

export interface IngressRule {
  readonly from: readonly PolicyPeer[];
  readonly ports: readonly PolicyPort[];
}

export interface EgressRule {
  readonly to: readonly PolicyPeer[];
  readonly ports: readonly PolicyPort[];
}

/** For all pods of the namespace, in both directions: what no rule allows is refused. */
export interface NamespacePolicy {
  readonly ingress: readonly IngressRule[];
  readonly egress: readonly EgressRule[];
}
