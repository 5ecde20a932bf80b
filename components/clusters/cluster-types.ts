/** Types for clusters of every distribution. Types only: no code. */

export type DistributionName = "k3s" | "kubeadm";

/** Where a cluster's routes are served from. */
export interface RoutePods {
  readonly namespace: string;
  /** Labels of the pods; empty: all pods of the namespace. */
  readonly labels: Readonly<Record<string, string>>;
  /** Ports that these pods listen on for routes. */
  readonly ports: readonly number[];
}
