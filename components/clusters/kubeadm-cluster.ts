import type * as pulumi from "@pulumi/pulumi";
import { ADMIN_KUBECONFIG } from "../../ansible-replacements";
import { known } from "../base/known-failure";
import { authorityHash } from "./kubeconfig";
import { KubernetesCluster, type KubernetesClusterArgs } from "./kubernetes-cluster";

/** A cluster by kubeadm. Further nodes are hosts with a role of their own, which joins them. */
export class KubeadmCluster extends KubernetesCluster {
  /** Hash of the cluster's authority, by which a joining node verifies the cluster: `sha256:…`. */
  readonly caHash: pulumi.Output<string>;

  constructor(name: string, args: KubernetesClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super({ kind: "KubeadmCluster", name: "kubeadm", kubeconfigPath: ADMIN_KUBECONFIG }, name, args, opts);
    this.caHash = this.ca.apply(known(authorityHash));
  }
}
