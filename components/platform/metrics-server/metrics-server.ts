import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { MetricsServerOptions } from "./options";
import { METRICS_SERVER_CHART, METRICS_SERVER_NAMESPACE, metricsServerValues } from "./values";

export interface MetricsServerArgs extends MetricsServerOptions {
  namespace: NamespaceArgs;
}

/** The metrics API: what pods and nodes use. The API server verifies its certificate. */
export class MetricsServer extends Component {
  constructor(name: string, args: MetricsServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:MetricsServer", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "metrics-server", namespace, chart: METRICS_SERVER_CHART, values: metricsServerValues(args) }, this.child());
    this.registerOutputs({});
  }
}

export const buildMetricsServer: BuildModule<MetricsServerOptions> = (name, { options, context }, opts) => ({
  component: new MetricsServer(name, { ...options, namespace: context.namespace(METRICS_SERVER_NAMESPACE) }, opts),
});
