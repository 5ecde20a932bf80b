import { CLUSTER, dashboard } from "./panel";

/** The dashboard to look at first: which environments send, free capacity of the machines, pods that are not ready, and alerts. */
export const overview = dashboard({
  uid: "homelab-overview",
  title: "Homelab",
  variables: [CLUSTER],
  panels: [
    { title: "Environments that send", type: "stat", query: 'count by (cluster) (up{cluster=~"$cluster"})', legend: "{{cluster}}" },
    {
      title: "Alerts that fire",
      query: 'sum by (cluster, alertname) (ALERTS{alertstate="firing", alertname!~"Watchdog|InfoInhibitor"})',
      legend: "{{cluster}} {{alertname}}",
    },
    {
      title: "CPU in use",
      unit: "percentunit",
      query: '1 - avg by (cluster, instance) (rate(node_cpu_seconds_total{mode="idle", cluster=~"$cluster"}[5m]))',
      legend: "{{cluster}} {{instance}}",
    },
    {
      title: "Memory in use",
      unit: "percentunit",
      query: '1 - node_memory_MemAvailable_bytes{cluster=~"$cluster"} / node_memory_MemTotal_bytes{cluster=~"$cluster"}',
      legend: "{{cluster}} {{instance}}",
    },
    {
      title: "Disk in use",
      unit: "percentunit",
      query: '1 - node_filesystem_avail_bytes{fstype=~"ext4|xfs", cluster=~"$cluster"} / node_filesystem_size_bytes{fstype=~"ext4|xfs", cluster=~"$cluster"}',
      legend: "{{cluster}} {{instance}} {{mountpoint}}",
    },
    {
      title: "Network received",
      unit: "Bps",
      query: 'sum by (cluster, instance) (rate(node_network_receive_bytes_total{device!~"lo|veth.*|cni.*|flannel.*", cluster=~"$cluster"}[5m]))',
      legend: "{{cluster}} {{instance}}",
    },
    {
      title: "Pods that are not ready",
      query:
        'sum by (cluster, namespace) (kube_pod_status_ready{condition="false", cluster=~"$cluster"} * on (cluster, namespace, pod) group_left () (kube_pod_status_phase{phase!="Succeeded", cluster=~"$cluster"} == 1))',
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Restarts in an hour",
      query: 'sum by (cluster, namespace) (increase(kube_pod_container_status_restarts_total{cluster=~"$cluster"}[1h])) > 0',
      legend: "{{cluster}} {{namespace}}",
    },
    { title: "Targets that do not answer", query: 'count by (cluster, job) (up{cluster=~"$cluster"} == 0)', legend: "{{cluster}} {{job}}" },
  ],
});
