import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Monitoring } from "../../base/monitoring";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { webRoute } from "../../base/web-route";
import type { BuildModule } from "../context";
import type { Routes } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import { ALERTS } from "./alerts";
import { DASHBOARD_LABEL, DASHBOARDS } from "./dashboards";
import type { KubePrometheusStackOptions } from "./options";
import {
  GRAFANA_ROLE,
  KUBE_PROMETHEUS_STACK_CHART,
  type KubePrometheusStackValuesArgs,
  kubePrometheusStackValues,
  MONITORING_NAMESPACE,
  MONITORING_SECRETS,
  RELEASE,
} from "./values";

export interface KubePrometheusStackArgs extends KubePrometheusStackValuesArgs {
  namespace: NamespaceArgs;
  routes: Routes;
  issuer: pulumi.Input<string>;
  /** Definitions that the environment has. */
  kinds: readonly string[];
  /** How its namespace gets its Secrets. */
  secrets: SecretsOfNamespace;
}

/** Prometheus, Alertmanager, Grafana and the exporters of the cluster's metrics. */
export class KubePrometheusStack extends Component {
  /** URL of Grafana. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: KubePrometheusStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:KubePrometheusStack", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(MONITORING_NAMESPACE, namespace, MONITORING_SECRETS), this.child());
    const role = new ClusterRole(
      `${name}-grafana-role`,
      { metadata: { name: GRAFANA_ROLE }, rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }] },
      this.child(),
    );
    const release = new HelmRelease(
      name,
      { releaseName: RELEASE, namespace, chart: KUBE_PROMETHEUS_STACK_CHART, values: kubePrometheusStackValues(args) },
      this.child({ dependsOn: [access, role] }),
    );
    new ConfigMap(
      `${name}-overview`,
      {
        metadata: { name: "dashboard-homelab", namespace, labels: DASHBOARD_LABEL },
        data: Object.fromEntries(Object.entries(DASHBOARDS).map(([file, content]) => [`${file}.json`, `${JSON.stringify(content)}\n`])),
      },
      this.child(),
    );
    new Monitoring(name, { namespace, selector: {}, rules: ALERTS, kinds: args.kinds }, this.child());
    const route = webRoute(
      `${name}-grafana`,
      {
        namespace,
        host: args.grafanaHost,
        service: release.releaseName.apply((given) => `${given}-grafana`),
        port: 80,
        routes: args.routes,
        issuer: args.issuer,
      },
      this.child(),
    );
    this.url = route.url;
    this.registerOutputs({ url: this.url });
  }
}

export const buildKubePrometheusStack: BuildModule<KubePrometheusStackOptions> = (name, { options, context }, opts) => {
  const { environment, domain, routes, storageClass, kinds } = context.place;
  const component = new KubePrometheusStack(
    name,
    {
      ...options,
      environment,
      storageClass: options.storageClass ?? storageClass,
      grafanaHost: `grafana.${domain}`,
      routes,
      kinds,
      issuer: context.need("issuer"),
      secrets: context.secrets.bind(context),
      namespace: context.namespace(MONITORING_NAMESPACE),
    },
    opts,
  );
  return { component, urls: { grafana: component.url } };
};
