import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { BARMAN_CHART, BARMAN_RELEASE, barmanValues, CLOUDNATIVE_PG_CHART, CLOUDNATIVE_PG_NAMESPACE, cloudNativePgValues } from "./values";

/** Sent as a dry run until it is admitted. Both webhooks, the mutating and the validating one, answer for a Cluster. */
const ADMITTED = {
  apiVersion: "postgresql.cnpg.io/v1",
  kind: "Cluster",
  metadata: { name: "homelab-admission", namespace: CLOUDNATIVE_PG_NAMESPACE },
  spec: { instances: 1, storage: { size: "1Gi" } },
};

/** The operator of Postgres servers, and its plugin of archives. */
export class CloudNativePg extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:CloudNativePg", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const operator = new HelmRelease(
      name,
      { releaseName: "cloudnative-pg", namespace, chart: CLOUDNATIVE_PG_CHART, values: cloudNativePgValues(), admits: [ADMITTED] },
      this.child(),
    );
    // The plugin must be in the operator's namespace, and exist before the first Cluster that uses it.
    new HelmRelease(
      `${name}-archives`,
      { releaseName: BARMAN_RELEASE, namespace, chart: BARMAN_CHART, values: barmanValues() },
      this.child({ dependsOn: [operator] }),
    );
    this.registerOutputs({});
  }
}

export const buildCloudNativePg: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new CloudNativePg(name, { namespace: context.namespace(CLOUDNATIVE_PG_NAMESPACE) }, opts),
});
