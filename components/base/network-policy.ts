/** A NetworkPolicy of a namespace as data: as `networking.k8s.io/v1` has it, as far as this project uses it. Types only. */

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

/** Of all pods of the namespace, in both directions: what no rule lets through is refused. */
export interface NamespacePolicy {
  readonly ingress: readonly IngressRule[];
  readonly egress: readonly EgressRule[];
}
