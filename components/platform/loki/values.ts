/** Values of the chart loki: one process with a volume of its own. */
import type { GrafanaSource } from "../kube-prometheus-stack/grafana-source";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { LokiOptions } from "./options";

export const LOKI_CHART = {
  repository: "https://grafana-community.github.io/helm-charts",
  name: "loki",
  version: "18.11.0",
  why: "Loki 3.7; the chart of the free Loki moved here in March 2026",
} as const satisfies ChartPin;

export const LOKI_NAMESPACE = "loki";
/** Name of the release, and so of its Service. */
export const LOKI_RELEASE = "loki";
export const LOKI_PORT = 3100;
/** Where Grafana queries logs, and where the collector sends them. It has no login: the flows of those two say who may reach it. */
export const LOKI_URL = `http://${LOKI_RELEASE}.${LOKI_NAMESPACE}.svc:${LOKI_PORT}`;
/** Labels that the chart gives its pod. */
export const LOKI_PODS = { "app.kubernetes.io/name": "loki", "app.kubernetes.io/instance": LOKI_RELEASE } as const;
/** Links a line to its trace: by the trace id of OTLP, or by one in the text. In Grafana's provisioning `$$` is a literal `$`. */
const TRACE_LINKS = [
  { name: "trace", matcherType: "label", matcherRegex: "trace_id", datasourceUid: "jaeger", url: "$${__value.raw}" },
  { name: "trace in the text", matcherType: "regex", matcherRegex: '(?i)trace_?id[=:" ]+([0-9a-f]{16,32})', datasourceUid: "jaeger", url: "$${__value.raw}" },
] as const;
export const LOKI_SOURCE = {
  name: "Loki",
  uid: "loki",
  type: "loki",
  url: LOKI_URL,
  jsonData: { derivedFields: TRACE_LINKS },
} as const satisfies GrafanaSource;

const INDEXED = ["k8s.cluster.name", "k8s.namespace.name", "k8s.container.name", "service.name"];

const OFF = { enabled: false } as const;

export interface LokiValuesArgs extends Pick<LokiOptions, "size" | "retentionDays"> {
  storageClass: string;
}

export const lokiValues = ({ storageClass, size, retentionDays }: LokiValuesArgs) => ({
  deploymentMode: "Monolithic",
  loki: {
    // One tenant. Loki has no users and passwords: with tenants it would trust any header that names one.
    auth_enabled: false,
    commonConfig: { replication_factor: 1 },
    storage: { type: "filesystem" },
    schemaConfig: { configs: [{ from: "2026-01-01", store: "tsdb", object_store: "filesystem", schema: "v13", index: { prefix: "index_", period: "24h" } }] },
    // Attributes that become index labels, because they have few values. All others are stored with the line.
    distributor: { otlp_config: { default_resource_attributes_as_index_labels: INDEXED } },
    limits_config: { retention_period: `${retentionDays * 24}h` },
    // Without it nothing is ever deleted, whatever the limit says.
    compactor: { retention_enabled: true, delete_request_store: "filesystem" },
    analytics: { reporting_enabled: false },
  },
  singleBinary: {
    replicas: 1,
    persistence: { storageClass, size },
    // There is one pod: a budget would prevent the drain of its node.
    podDisruptionBudget: OFF,
    resources: sized("100m", "256Mi", "1Gi"),
  },
  // Parts of a Loki with several processes.
  read: { replicas: 0 },
  write: { replicas: 0 },
  backend: { replicas: 0 },
  gateway: OFF,
  chunksCache: OFF,
  resultsCache: OFF,
  // The canary uses the image `latest`, and writes logs of its own.
  lokiCanary: OFF,
  test: OFF,
  // There are no alerts on logs.
  sidecar: { rules: OFF },
  ruler: OFF,
});
