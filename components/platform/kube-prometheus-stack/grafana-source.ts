/** Data sources of Grafana. Each store defines its own, in a ConfigMap that Grafana's sidecar finds in any namespace. */
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import type * as pulumi from "@pulumi/pulumi";

/** Label by which the sidecar finds them (kube-prometheus-stack's default). */
export const SOURCE_LABEL = { grafana_datasource: "1" } as const;

/** As Grafana provisions it (https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources). */
export interface GrafanaSource {
  readonly name: string;
  /** The name in dashboards. */
  readonly uid: string;
  readonly type: "loki" | "jaeger" | "prometheus";
  readonly url: string;
  readonly jsonData?: object;
}

export const sourceFile = ({ name, uid, type, url, jsonData }: GrafanaSource): string =>
  `${JSON.stringify({ apiVersion: 1, datasources: [{ name, uid, type, access: "proxy", url, editable: false, ...(jsonData === undefined ? {} : { jsonData }) }] }, undefined, 2)}\n`;

/** @param namespace of the store; known once it exists */
export const grafanaSource = (name: string, source: GrafanaSource, namespace: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): ConfigMap =>
  new ConfigMap(
    name,
    // The file is JSON, which is valid YAML.
    { metadata: { name: `grafana-source-${source.uid}`, namespace, labels: SOURCE_LABEL }, data: { [`${source.uid}.yaml`]: sourceFile(source) } },
    opts,
  );
