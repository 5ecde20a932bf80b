/** Values of the chart kube-prometheus-stack. */
import type { WantedSecret } from "../namespace-grants";
import { NODE_EXPORTER_RIGHTS } from "../node-exporter";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import { alertmanagerConfig, RECEIVER_KEYS, RECEIVERS_SECRET } from "./alerting";
import { ALERT_URL, GRAFANA_PASSWORD, GRAFANA_USER, HEARTBEAT_URL, type KubePrometheusStackOptions } from "./options";

export const KUBE_PROMETHEUS_STACK_CHART = {
  repository: "https://prometheus-community.github.io/helm-charts",
  name: "kube-prometheus-stack",
  version: "88.5.3",
  why: "operator v0.93.1; from 79 on there is no default password of Grafana",
} as const satisfies ChartPin;

/** Also the prefix of the names of all that the chart makes. */
export const RELEASE = "kube-prometheus-stack";
export const MONITORING_NAMESPACE = "monitoring";
export const PROMETHEUS_PORT = 9090;
/** Where the collector writes what boxes send. It has no login: the flows say who may reach it. */
export const REMOTE_WRITE_URL = `http://${RELEASE}-prometheus.${MONITORING_NAMESPACE}.svc:${PROMETHEUS_PORT}/api/v1/write`;

const GRAFANA_SECRET = "grafana-admin";
/** ClusterRole of Grafana's sidecars. */
export const GRAFANA_ROLE = "grafana-reads-configmaps";

/** Secrets that its parts start with. */
export const MONITORING_SECRETS: readonly WantedSecret[] = [
  { name: GRAFANA_SECRET, data: { "admin-user": GRAFANA_USER, "admin-password": GRAFANA_PASSWORD } },
  { name: RECEIVERS_SECRET, data: { [RECEIVER_KEYS.people]: ALERT_URL, [RECEIVER_KEYS.heartbeat]: HEARTBEAT_URL } },
];

const volume = (storageClassName: string, storage: string) => ({
  volumeClaimTemplate: { spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } },
});

/** Not scraped, or their alerts would always fire: k3s runs these parts in one process with the API, and kubeadm does not expose their metrics. */
const NOT_MEASURED = {
  kubeControllerManager: { enabled: false },
  kubeScheduler: { enabled: false },
  kubeProxy: { enabled: false },
  kubeEtcd: { enabled: false },
  // In kube-system, to which no flow is declared.
  coreDns: { enabled: false },
};
const RULES_WITHOUT_METRICS = {
  etcd: false,
  kubeControllerManager: false,
  kubeProxy: false,
  kubeSchedulerAlerting: false,
  kubeSchedulerRecording: false,
  windows: false,
};

/** Share of the volume for blocks of metrics: the write-ahead log is on it too. */
const SHARE = 0.85;

/** `20Gi` as a limit that leaves room: in MB of Prometheus, which are 1024² bytes. */
function retentionSize(size: string): string {
  const [, count = "0", unit = "Gi"] = /^(\d+)(Mi|Gi|Ti)$/.exec(size) ?? [];
  const mebibytes = Number(count) * { Mi: 1, Gi: 1024, Ti: 1024 * 1024 }[unit as "Mi" | "Gi" | "Ti"];
  return `${Math.floor(mebibytes * SHARE)}MB`;
}

export interface KubePrometheusStackValuesArgs extends Omit<KubePrometheusStackOptions, "storageClass"> {
  environment: string;
  storageClass: string;
  /** Full name of Grafana. */
  grafanaHost: string;
}

export function kubePrometheusStackValues({ environment, storageClass, size, retentionDays, grafanaHost }: KubePrometheusStackValuesArgs) {
  return {
    // They are a release of their own, which is upgraded with each version.
    crds: { enabled: false },
    defaultRules: { rules: RULES_WITHOUT_METRICS },
    ...NOT_MEASURED,
    prometheusOperator: {
      // The chart's Jobs would make the certificate anew with each version.
      admissionWebhooks: { certManager: { enabled: true } },
      resources: sized("20m", "64Mi", "256Mi"),
      prometheusConfigReloader: { resources: sized("10m", "32Mi", "64Mi") },
    },
    prometheus: {
      prometheusSpec: {
        externalLabels: { cluster: environment },
        // External labels are not stored in its own database. There its own metrics need the label too, as those of boxes have it: rules and
        // dashboards distinguish environments by it.
        scrapeClasses: [{ name: "own-cluster", default: true, relabelings: [{ targetLabel: "cluster", replacement: environment }] }],
        enableRemoteWriteReceiver: true,
        // Two collectors deliver in no fixed order, and a box that was disconnected delivers late.
        tsdb: { outOfOrderTimeWindow: "30m" },
        retention: `${retentionDays}d`,
        retentionSize: retentionSize(size),
        storageSpec: volume(storageClass, size),
        resources: sized("200m", "512Mi", "2Gi"),
        // Monitors and rules of every namespace count, not only those of this release.
        serviceMonitorSelectorNilUsesHelmValues: false,
        podMonitorSelectorNilUsesHelmValues: false,
        probeSelectorNilUsesHelmValues: false,
        ruleSelectorNilUsesHelmValues: false,
        scrapeConfigSelectorNilUsesHelmValues: false,
      },
    },
    alertmanager: {
      config: alertmanagerConfig(),
      alertmanagerSpec: { secrets: [RECEIVERS_SECRET], storage: volume(storageClass, "1Gi"), resources: sized("10m", "32Mi", "128Mi") },
    },
    grafana: {
      // The chart's own role would let Grafana read every Secret of the cluster: its sidecars look for both kinds in all namespaces.
      rbac: { useExistingClusterRole: GRAFANA_ROLE },
      admin: { existingSecret: GRAFANA_SECRET, userKey: "admin-user", passwordKey: "admin-password" },
      // Dashboards and sources are code: there is nothing to keep.
      persistence: { enabled: false },
      defaultDashboardsTimezone: "browser",
      "grafana.ini": {
        server: { root_url: `https://${grafanaHost}` },
        users: { allow_sign_up: false },
        analytics: { check_for_updates: false, reporting_enabled: false },
      },
      // Each store defines its data source in its own namespace.
      sidecar: {
        dashboards: { multicluster: { global: { enabled: true } }, resource: "configmap" },
        datasources: { searchNamespace: "ALL", resource: "configmap" },
        resources: sized("10m", "64Mi", "128Mi"),
      },
      testFramework: { enabled: false },
      resources: sized("50m", "128Mi", "512Mi"),
    },
    "kube-state-metrics": { resources: sized("10m", "64Mi", "256Mi") },
    "prometheus-node-exporter": { ...NODE_EXPORTER_RIGHTS, resources: sized("20m", "32Mi", "128Mi") },
  };
}
