import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { PROMETHEUS_OPERATOR_CRDS_CHART, PROMETHEUS_OPERATOR_CRDS_NAMESPACE } from "./values";

/** The resource kinds of the Prometheus operator, without the operator. */
export class PrometheusOperatorCrds extends Component {
  constructor(name: string, args: { namespace: NamespaceArgs }, opts?: pulumi.ComponentResourceOptions) {
    super("platform:PrometheusOperatorCrds", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: "prometheus-operator-crds", namespace, chart: PROMETHEUS_OPERATOR_CRDS_CHART, values: {} }, this.child());
    this.registerOutputs({});
  }
}

export const buildPrometheusOperatorCrds: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new PrometheusOperatorCrds(name, { namespace: context.namespace(PROMETHEUS_OPERATOR_CRDS_NAMESPACE) }, opts),
});
