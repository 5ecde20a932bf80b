/** Dashboards of Grafana as code. Pure. */

/** Label by which Grafana's sidecar finds its ConfigMaps. */
export const DASHBOARD_LABEL = { grafana_dashboard: "1" } as const;

interface Panel {
  readonly title: string;
  readonly unit: "percentunit" | "short" | "Bps";
  /** PromQL; each gives one line for each value of `legend`. */
  readonly query: string;
  readonly legend: string;
}

/** What somebody looks at first: whether hosts have room, pods are well, and anything is measured at all. */
const OVERVIEW: readonly Panel[] = [
  {
    title: "CPU in use",
    unit: "percentunit",
    query: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
    legend: "{{instance}}",
  },
  {
    title: "Memory in use",
    unit: "percentunit",
    query: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    legend: "{{instance}}",
  },
  {
    title: "Disk in use",
    unit: "percentunit",
    query: '1 - node_filesystem_avail_bytes{fstype=~"ext4|xfs"} / node_filesystem_size_bytes{fstype=~"ext4|xfs"}',
    legend: "{{instance}} {{mountpoint}}",
  },
  {
    title: "Network received",
    unit: "Bps",
    query: 'sum by (instance) (rate(node_network_receive_bytes_total{device!~"lo|veth.*|cni.*|flannel.*"}[5m]))',
    legend: "{{instance}}",
  },
  {
    title: "Pods that are not ready",
    unit: "short",
    query: 'sum by (namespace) (kube_pod_status_ready{condition="false"} * on (namespace, pod) group_left () (kube_pod_status_phase{phase!="Succeeded"} == 1))',
    legend: "{{namespace}}",
  },
  {
    title: "Restarts in an hour",
    unit: "short",
    query: "sum by (namespace) (increase(kube_pod_container_status_restarts_total[1h])) > 0",
    legend: "{{namespace}}",
  },
  {
    title: "Alerts that fire",
    unit: "short",
    query: 'sum by (alertname) (ALERTS{alertstate="firing", alertname!~"Watchdog|InfoInhibitor"})',
    legend: "{{alertname}}",
  },
  { title: "Targets that do not answer", unit: "short", query: "count by (job) (up == 0)", legend: "{{job}}" },
];

const [WIDTH, HEIGHT, COLUMNS] = [12, 8, 2];

/** A dashboard as Grafana imports it. */
export function overviewDashboard() {
  return {
    uid: "homelab-overview",
    title: "Homelab",
    tags: ["homelab"],
    timezone: "browser",
    schemaVersion: 39,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    panels: OVERVIEW.map(({ title, unit, query, legend }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      datasource: { type: "prometheus", uid: "prometheus" },
      gridPos: { x: (index % COLUMNS) * WIDTH, y: Math.floor(index / COLUMNS) * HEIGHT, w: WIDTH, h: HEIGHT },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: [{ refId: "A", expr: query, legendFormat: legend, datasource: { type: "prometheus", uid: "prometheus" } }],
    })),
  };
}
