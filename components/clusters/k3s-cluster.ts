import type * as pulumi from "@pulumi/pulumi";
import { KUBECONFIG_PATH } from "../../ansible-replacements";
import { KubernetesCluster, type KubernetesClusterArgs } from "./kubernetes-cluster";

/** A cluster of one node, by k3s. */
export class K3sCluster extends KubernetesCluster {
  constructor(name: string, args: KubernetesClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super({ kind: "K3sCluster", name: "k3s", kubeconfigPath: KUBECONFIG_PATH }, name, args, opts);
  }
}
