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
/** Release, and so its Service. */
export const LOKI_RELEASE = "loki";
export const LOKI_PORT = 3100;
/** Where Grafana asks, and the collector sends logs to. It has no login: who reaches it is in the flows of those two. */
export const LOKI_URL = `http://${LOKI_RELEASE}.${LOKI_NAMESPACE}.svc:${LOKI_PORT}`;
/** Of its pod, as the chart labels it. */
export const LOKI_PODS = { "app.kubernetes.io/name": "loki", "app.kubernetes.io/instance": LOKI_RELEASE } as const;
/** From a line to its trace: by what OTLP brought with it, or by what the program wrote. Grafana takes two `$` for one. */
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
    // One tenant. Users and passwords are not Loki's own matter: it would believe any header.
    auth_enabled: false,
    commonConfig: { replication_factor: 1 },
    storage: { type: "filesystem" },
    schemaConfig: { configs: [{ from: "2026-01-01", store: "tsdb", object_store: "filesystem", schema: "v13", index: { prefix: "index_", period: "24h" } }] },
    // What is an index beside the line: few values each. The rest of what comes is kept with the line.
    distributor: { otlp_config: { default_resource_attributes_as_index_labels: INDEXED } },
    limits_config: { retention_period: `${retentionDays * 24}h` },
    // Without it nothing is ever deleted, whatever the limit says.
    compactor: { retention_enabled: true, delete_request_store: "filesystem" },
    analytics: { reporting_enabled: false },
  },
  singleBinary: {
    replicas: 1,
    persistence: { storageClass, size },
    // One pod: a budget would keep its node from being emptied.
    podDisruptionBudget: OFF,
    resources: sized("100m", "256Mi", "1Gi"),
  },
  // Parts for a Loki of many processes.
  read: { replicas: 0 },
  write: { replicas: 0 },
  backend: { replicas: 0 },
  gateway: OFF,
  chunksCache: OFF,
  resultsCache: OFF,
  // It asks for the image `latest`, and writes logs of its own.
  lokiCanary: OFF,
  test: OFF,
  // Alerts on logs: there are none.
  sidecar: { rules: OFF },
  ruler: OFF,
});
