import { CLUSTER, dashboard, NAMESPACE } from "./panel";

const CONTAINERS = 'container!="", cluster=~"$cluster", namespace=~"$namespace"';

/** What pods use of what they requested, and whether they run. */
export const cluster = dashboard({
  uid: "homelab-cluster",
  title: "Homelab / clusters",
  variables: [CLUSTER, NAMESPACE],
  panels: [
    {
      title: "CPU by namespace",
      query: `sum by (cluster, namespace) (rate(container_cpu_usage_seconds_total{${CONTAINERS}}[5m]))`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Memory by namespace",
      unit: "bytes",
      query: `sum by (cluster, namespace) (container_memory_working_set_bytes{${CONTAINERS}})`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Memory of what was asked for",
      unit: "percentunit",
      query: `sum by (cluster, namespace) (container_memory_working_set_bytes{${CONTAINERS}}) / sum by (cluster, namespace) (kube_pod_container_resource_requests{resource="memory", cluster=~"$cluster", namespace=~"$namespace"})`,
      legend: "{{cluster}} {{namespace}}",
    },
    {
      title: "Memory of the limit",
      unit: "percentunit",
      query: `max by (cluster, namespace, pod, container) (container_memory_working_set_bytes{${CONTAINERS}}) / max by (cluster, namespace, pod, container) (kube_pod_container_resource_limits{resource="memory", cluster=~"$cluster", namespace=~"$namespace"}) > 0.7`,
      legend: "{{cluster}} {{namespace}} {{pod}} {{container}}",
    },
    {
      title: "Deployments without a replica",
      query:
        'kube_deployment_spec_replicas{cluster=~"$cluster", namespace=~"$namespace"} - kube_deployment_status_replicas_available{cluster=~"$cluster", namespace=~"$namespace"} > 0',
      legend: "{{cluster}} {{namespace}} {{deployment}}",
    },
    {
      title: "Last ended for want of memory",
      query: 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled", cluster=~"$cluster", namespace=~"$namespace"} > 0',
      legend: "{{cluster}} {{namespace}} {{pod}}",
    },
    {
      title: "Volumes in use",
      unit: "percentunit",
      query:
        'kubelet_volume_stats_used_bytes{cluster=~"$cluster", namespace=~"$namespace"} / kubelet_volume_stats_capacity_bytes{cluster=~"$cluster", namespace=~"$namespace"}',
      legend: "{{cluster}} {{namespace}} {{persistentvolumeclaim}}",
    },
    {
      title: "Pods by phase",
      query: 'sum by (cluster, phase) (kube_pod_status_phase{cluster=~"$cluster", namespace=~"$namespace"})',
      legend: "{{cluster}} {{phase}}",
    },
  ],
});
