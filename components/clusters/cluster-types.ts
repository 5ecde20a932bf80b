/** What is said of a cluster, whatever it is built by. Types only. */

export type DistributionName = "k3s" | "kubeadm";

/** Where a cluster's routes are served from. */
export interface RoutePods {
  readonly namespace: string;
  /** Of the pods; empty: all of the namespace. */
  readonly labels: Readonly<Record<string, string>>;
  /** Ports that these pods listen on for routes. */
  readonly ports: readonly number[];
}
