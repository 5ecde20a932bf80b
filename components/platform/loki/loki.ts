import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Monitoring } from "../../base/monitoring";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { grafanaSource } from "../kube-prometheus-stack/grafana-source";
import type { LokiOptions } from "./options";
import { LOKI_CHART, LOKI_NAMESPACE, LOKI_PODS, LOKI_RELEASE, LOKI_SOURCE, type LokiValuesArgs, lokiValues } from "./values";

export interface LokiArgs extends LokiValuesArgs {
  namespace: NamespaceArgs;
  /** Definitions that the environment has. */
  kinds: readonly string[];
}

/** Logs of all environments. */
export class Loki extends Component {
  constructor(name: string, args: LokiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Loki", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    new HelmRelease(name, { releaseName: LOKI_RELEASE, namespace, chart: LOKI_CHART, values: lokiValues(args) }, this.child());
    grafanaSource(`${name}-source`, LOKI_SOURCE, namespace, this.child());
    new Monitoring(name, { namespace, selector: LOKI_PODS, pods: [{ port: "http-metrics" }], kinds: args.kinds }, this.child());
    this.registerOutputs({});
  }
}

export const buildLoki: BuildModule<LokiOptions> = (name, { options, context }, opts) => {
  const { storageClass, kinds } = context.place;
  return {
    component: new Loki(name, { ...options, storageClass: options.storageClass ?? storageClass, kinds, namespace: context.namespace(LOKI_NAMESPACE) }, opts),
  };
};
