import { Namespace as KubernetesNamespace } from "@pulumi/kubernetes/core/v1/namespace";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "./component";

export interface NamespaceArgs {
  /** Name in the cluster. */
  name: string;
  labels?: Record<string, string>;
}

export class Namespace extends Component {
  /** Known once the namespace is there: who uses it needs no `dependsOn`. */
  readonly namespace: pulumi.Output<string>;

  constructor(name: string, args: NamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:Namespace", name, opts);
    const namespace = new KubernetesNamespace(
      `${name}-namespace`,
      { metadata: { name: args.name, labels: { "app.kubernetes.io/managed-by": "homelab", ...args.labels } } },
      this.child({ customTimeouts: timeouts(10) }),
    );
    this.namespace = namespace.metadata.name;
    this.registerOutputs({ namespace: this.namespace });
  }
}
