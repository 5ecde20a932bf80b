import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { CLOUDNATIVE_PG_CHART, CLOUDNATIVE_PG_NAMESPACE, cloudNativePgValues } from "./values";

/** Both webhooks are asked about a Cluster. */
const ADMITTED = {
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Cluster",
  metadata: { name: "homelab-admission", namespace: CLOUDNATIVE_PG_NAMESPACE },
  spec: { instances: 1, storage: { size: "1Gi" } },
};

/** The operator of Postgres servers. */
export class CloudNativePg extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:CloudNativePg", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(
      name,
      { releaseName: "cloudnative-pg", namespace, chart: CLOUDNATIVE_PG_CHART, values: cloudNativePgValues(), admits: [ADMITTED] },
      this.child(),
    );
    this.registerOutputs({});
  }
}

export const buildCloudNativePg: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new CloudNativePg(name, { namespace: context.namespace(CLOUDNATIVE_PG_NAMESPACE) }, opts),
});
