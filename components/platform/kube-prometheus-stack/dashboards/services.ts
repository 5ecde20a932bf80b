import { CLUSTER, dashboard } from "./panel";

/** Namespaces of the services that store data. */
const DATA = "postgres|valkey|nats|minio|vault|harbor|immich|loki|tracing|monitoring";
const PODS = `container!="", cluster=~"$cluster", namespace=~"${DATA}"`;

/** Services that store data: whether they run, what they use, how full their volumes are; and Postgres' and NATS' own metrics. */
export const services = dashboard({
  uid: "homelab-services",
  title: "Homelab / data services",
  variables: [CLUSTER],
  panels: [
    {
      title: "Pods that are ready",
      query: `sum by (cluster, namespace) (kube_pod_status_ready{condition="true", cluster=~"$cluster", namespace=~"${DATA}"})`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Restarts in a day",
      query: `sum by (cluster, namespace) (increase(kube_pod_container_status_restarts_total{cluster=~"$cluster", namespace=~"${DATA}"}[1d]))`,
      legend: "{{cluster}} {{namespace}}",
    },
    { title: "CPU", query: `sum by (cluster, namespace) (rate(container_cpu_usage_seconds_total{${PODS}}[5m]))`, legend: "{{cluster}} {{namespace}}" },
    {
      title: "Memory",
      unit: "bytes",
      query: `sum by (cluster, namespace) (container_memory_working_set_bytes{${PODS}})`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Volumes in use",
      unit: "percentunit",
      query: `kubelet_volume_stats_used_bytes{cluster=~"$cluster", namespace=~"${DATA}"} / kubelet_volume_stats_capacity_bytes{cluster=~"$cluster", namespace=~"${DATA}"}`,
      legend: "{{cluster}} {{namespace}} {{persistentvolumeclaim}}",
    },
    {
      title: "Network received",
      unit: "Bps",
      query: `sum by (cluster, namespace) (rate(container_network_receive_bytes_total{cluster=~"$cluster", namespace=~"${DATA}"}[5m]))`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Postgres: size of databases",
      unit: "bytes",
      query: 'max by (cluster, namespace, datname) (cnpg_pg_database_size_bytes{cluster=~"$cluster"})',
      legend: "{{cluster}} {{namespace}} {{datname}}",
    },
    {
      title: "Postgres: transactions",
      unit: "ops",
      query: 'sum by (cluster, namespace, datname) (rate(cnpg_pg_stat_database_xact_commit{cluster=~"$cluster"}[5m]))',
      legend: "{{cluster}} {{namespace}} {{datname}}",
    },
    {
      title: "Postgres: connections",
      query: 'sum by (cluster, namespace, state) (cnpg_backends_total{cluster=~"$cluster"})',
      legend: "{{cluster}} {{namespace}} {{state}}",
    },
    {
      title: "NATS: messages",
      unit: "ops",
      query: 'sum by (cluster, pod) (rate(nats_varz_in_msgs{cluster=~"$cluster"}[5m]))',
      legend: "{{cluster}} {{pod}} in",
      more: [{ query: 'sum by (cluster, pod) (rate(nats_varz_out_msgs{cluster=~"$cluster"}[5m]))', legend: "{{cluster}} {{pod}} out" }],
    },
    {
      title: "NATS: connections, and clients that were too slow",
      query: 'sum by (cluster, pod) (nats_varz_connections{cluster=~"$cluster"})',
      legend: "{{cluster}} {{pod}} connections",
      more: [{ query: 'sum by (cluster, pod) (nats_varz_slow_consumers{cluster=~"$cluster"})', legend: "{{cluster}} {{pod}} too slow" }],
    },
    {
      title: "Postgres: age of the last backup",
      unit: "s",
      query: 'time() - max by (cluster, namespace) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{cluster=~"$cluster"} > 0)',
      legend: "{{cluster}} {{namespace}}",
    },
  ],
});
