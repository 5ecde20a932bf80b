import { dashboard } from "./panel";

const WHICH = '{k8s_cluster_name=~"$cluster", k8s_namespace_name=~"$namespace"}';

/** How much is logged and where, and the lines. */
export const logs = dashboard({
  uid: "homelab-logs",
  title: "Homelab / logs",
  variables: [
    { name: "cluster", label: "Environment", source: "loki", of: "k8s_cluster_name", from: "" },
    { name: "namespace", label: "Namespace", source: "loki", of: "k8s_namespace_name", from: '{k8s_cluster_name=~"$cluster"}' },
  ],
  panels: [
    {
      title: "Lines a minute",
      source: "loki",
      query: `sum by (k8s_cluster_name, k8s_namespace_name) (count_over_time(${WHICH}[1m]))`,
      legend: "{{k8s_cluster_name}} {{k8s_namespace_name}}",
    },
    {
      title: "Lines with an error, a minute",
      source: "loki",
      query: `sum by (k8s_cluster_name, k8s_namespace_name) (count_over_time(${WHICH} |~ "(?i)(error|fatal|panic)" [1m]))`,
      legend: "{{k8s_cluster_name}} {{k8s_namespace_name}}",
    },
    { title: "Errors", type: "logs", source: "loki", width: 24, query: `${WHICH} |~ "(?i)(error|fatal|panic)"` },
    { title: "All lines", type: "logs", source: "loki", width: 24, query: WHICH },
  ],
});
