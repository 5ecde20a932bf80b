/** Values of the chart jaeger: Jaeger 2 as one process, with traces on a volume of its own. */
import type { GrafanaSource } from "../kube-prometheus-stack/grafana-source";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { JaegerOptions } from "./options";

export const JAEGER_CHART = {
  repository: "https://jaegertracing.github.io/helm-charts",
  name: "jaeger",
  version: "4.11.1",
  why: "Jaeger 2.19; Jaeger 1 ended in December 2025, and its operator with it",
  kubeVersion: ">=1.21.0-0",
} as const satisfies ChartPin;

export const JAEGER_NAMESPACE = "tracing";
/** Name of the release, and so of its Service. */
export const JAEGER_RELEASE = "jaeger";
export const QUERY_PORT = 16686;
export const OTLP_HTTP_PORT = 4318;
const METRICS_PORT = 8888;
const HEALTH_PORT = 13133;
/** Where the collector sends traces (OTLP over HTTP). It has no login: the flows say who may reach it. */
export const JAEGER_OTLP_URL = `http://${JAEGER_RELEASE}.${JAEGER_NAMESPACE}.svc:${OTLP_HTTP_PORT}`;
export const JAEGER_SOURCE = {
  name: "Jaeger",
  uid: "jaeger",
  type: "jaeger",
  url: `http://${JAEGER_RELEASE}.${JAEGER_NAMESPACE}.svc:${QUERY_PORT}`,
  // Links a span to the log lines of its namespace around that time.
  jsonData: {
    tracesToLogsV2: {
      datasourceUid: "loki",
      spanStartTimeShift: "-5m",
      spanEndTimeShift: "5m",
      tags: [
        { key: "k8s.cluster.name", value: "k8s_cluster_name" },
        { key: "k8s.namespace.name", value: "k8s_namespace_name" },
      ],
    },
  },
} as const satisfies GrafanaSource;

/** Claim with the traces. */
export const TRACES_CLAIM = "jaeger-traces";
const FOLDER = "/badger";

const OPEN = "0.0.0.0";

/** Jaeger's own configuration (https://www.jaegertracing.io/docs/latest/deployment/configuration/). */
const config = (retentionDays: number) => ({
  service: {
    extensions: ["jaeger_storage", "jaeger_query", "healthcheckv2"],
    pipelines: { traces: { receivers: ["otlp"], processors: ["batch"], exporters: ["jaeger_storage_exporter"] } },
    telemetry: { metrics: { level: "basic", readers: [{ pull: { exporter: { prometheus: { host: OPEN, port: METRICS_PORT } } } }] } },
  },
  extensions: {
    healthcheckv2: { use_v2: true, http: { endpoint: `${OPEN}:${HEALTH_PORT}` } },
    jaeger_query: { storage: { traces: "traces" } },
    jaeger_storage: {
      backends: {
        traces: {
          badger: {
            directories: { keys: `${FOLDER}/keys`, values: `${FOLDER}/values` },
            ephemeral: false,
            ttl: { spans: `${retentionDays * 24}h` },
          },
        },
      },
    },
  },
  receivers: { otlp: { protocols: { http: { endpoint: `${OPEN}:${OTLP_HTTP_PORT}` } } } },
  processors: { batch: {} },
  exporters: { jaeger_storage_exporter: { trace_storage: "traces" } },
});

export const jaegerValues = ({ retentionDays }: Pick<JaegerOptions, "retentionDays">) => ({
  userconfig: config(retentionDays),
  jaeger: {
    // Two pods cannot share the volume.
    strategy: { type: "Recreate" },
    // It does not use the cluster's API.
    serviceAccount: { automountServiceAccountToken: false },
    podSecurityContext: { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: { type: "RuntimeDefault" } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    extraVolumes: [
      { name: "traces", persistentVolumeClaim: { claimName: TRACES_CLAIM } },
      { name: "tmp", emptyDir: {} },
    ],
    extraVolumeMounts: [
      { name: "traces", mountPath: FOLDER },
      { name: "tmp", mountPath: "/tmp" },
    ],
    resources: sized("100m", "512Mi", "2Gi"),
  },
});
