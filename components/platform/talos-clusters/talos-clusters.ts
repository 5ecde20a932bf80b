import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { TalosClustersOptions } from "./options";
import { CLUSTERS_NAMESPACE, talosCluster } from "./values";

/** Long, because machines are cloned, booted and joined. */
const CLUSTER_MINUTES = 40;

export interface TalosClustersArgs extends TalosClustersOptions {
  namespace: NamespaceArgs;
}

/** Each cluster is ready when its control plane answers. Its parts are deleted after it: Cluster API needs them to delete the machines. */
export class TalosClusters extends Component {
  constructor(name: string, { namespace: own, clusters }: TalosClustersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:TalosClusters", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, own, this.child());
    for (const [cluster, spec] of Object.entries(clusters)) {
      const { parts, cluster: object, workers } = talosCluster<pulumi.Input<string>>(cluster, spec, namespace);
      const dependsOn = parts.map(
        (part) => new CustomResource(`${name}-${part.kind}-${part.metadata.name}`, part, this.child({ customTimeouts: timeouts(10) })),
      );
      const made = new CustomResource(`${name}-${cluster}`, object, this.child({ dependsOn, customTimeouts: timeouts(CLUSTER_MINUTES) }));
      new CustomResource(`${name}-${cluster}-workers`, workers, this.child({ dependsOn: [made], customTimeouts: timeouts(CLUSTER_MINUTES) }));
    }
    this.registerOutputs({});
  }
}

export const buildTalosClusters: BuildModule<TalosClustersOptions> = (name, { options, context }, opts) => ({
  component: new TalosClusters(name, { ...options, namespace: context.namespace(CLUSTERS_NAMESPACE) }, opts),
});
