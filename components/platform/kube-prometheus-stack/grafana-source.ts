/** Data sources of Grafana: each store says itself how Grafana asks it, in a ConfigMap that Grafana's sidecar finds in any namespace. */
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import type * as pulumi from "@pulumi/pulumi";

/** Label by which the sidecar finds them (kube-prometheus-stack's default). */
export const SOURCE_LABEL = { grafana_datasource: "1" } as const;

/** As Grafana provisions it (https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources). */
export interface GrafanaSource {
  readonly name: string;
  /** By which dashboards name it. */
  readonly uid: string;
  readonly type: "loki" | "jaeger" | "prometheus";
  readonly url: string;
  readonly jsonData?: object;
}

export const sourceFile = ({ name, uid, type, url, jsonData }: GrafanaSource): string =>
  `${JSON.stringify({ apiVersion: 1, datasources: [{ name, uid, type, access: "proxy", url, editable: false, ...(jsonData === undefined ? {} : { jsonData }) }] }, undefined, 2)}\n`;

/** @param namespace of the store; known once it is there */
export const grafanaSource = (name: string, source: GrafanaSource, namespace: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): ConfigMap =>
  new ConfigMap(
    name,
    // The sidecar reads JSON as the YAML that it is.
    { metadata: { name: `grafana-source-${source.uid}`, namespace, labels: SOURCE_LABEL }, data: { [`${source.uid}.yaml`]: sourceFile(source) } },
    opts,
  );
