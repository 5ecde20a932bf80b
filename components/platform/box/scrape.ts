/** What the agent of each machine scrapes there, as Prometheus' scrape_configs. Pure. */

import { variable } from "../otel-collector/chart";
import { BOX_NAMESPACE, STATE_METRICS_PORT, STATE_METRICS_RELEASE } from "./names";
import type { BoxOptions } from "./options";

export const NODE_NAME = "K8S_NODE_NAME";
export const NODE_ADDRESS = "K8S_NODE_IP";
const node = variable(NODE_NAME);
const address = variable(NODE_ADDRESS);

export const KUBELET_PORT = 10250;
export const NODE_EXPORTER_PORT = 9100;

/** `$1` of a pattern. In the collector's configuration `$` begins a variable, and `$$` is a literal `$`. */
const CAPTURED = "$$1";

/**
 * Metrics that are dropped: the hub does not use them, and they are the majority. k3s is one process, so its kubelet also reports the
 * metrics of the API server, the scheduler and the controllers.
 */
const NOT_OF_KUBELET =
  "(apiserver|apiextensions|aggregator|etcd|workqueue|rest_client|scheduler|authentication|authorization|node_collector|garbagecollector|grpc)_.+";
const NOT_OF_CONTAINERS =
  "container_(tasks_state|threads.*|spec_.*|blkio_.*|processes|sockets|file_descriptors|ulimits_soft|memory_failures_total|network_(tcp|udp).*|fs_(io|sector|inodes).*)";
const drop = (regex: string) => ({ source_labels: ["__name__"], regex, action: "drop" });

/** A target with the labels that the rules and dashboards of kube-prometheus-stack expect. */
const kubelet = (path: string) => ({
  targets: [`${address}:${KUBELET_PORT}`],
  labels: { __metrics_path__: path, metrics_path: path, node, namespace: "kube-system" },
});

interface Pods {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  readonly path: string;
}

/** Only pods of this machine: each machine has an agent, so every pod is scraped once. */
const podsJob = (name: string, { namespace, labels, port, path }: Pods) => ({
  job_name: name,
  metrics_path: path,
  kubernetes_sd_configs: [
    {
      role: "pod",
      namespaces: { names: [namespace] },
      selectors: [
        {
          role: "pod",
          field: `spec.nodeName=${node}`,
          label: Object.entries(labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(","),
        },
      ],
    },
  ],
  relabel_configs: [
    { source_labels: ["__meta_kubernetes_pod_phase"], regex: "Running", action: "keep" },
    { source_labels: ["__meta_kubernetes_pod_ip"], regex: "(.+)", target_label: "__address__", replacement: `${CAPTURED}:${port}` },
    { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
    { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
    { target_label: "node", replacement: node },
  ],
  // `cluster` is the label of the environment. CloudNativePG uses it for its own clusters, so that one is renamed.
  metric_relabel_configs: [
    { source_labels: ["cluster"], regex: "(.+)", target_label: "own_cluster", replacement: CAPTURED },
    { regex: "cluster", action: "labeldrop" },
  ],
});

export const scrapeConfigs = (scrape: BoxOptions["scrape"]) => [
  {
    job_name: "kubelet",
    scheme: "https",
    authorization: { credentials_file: "/var/run/secrets/kubernetes.io/serviceaccount/token" },
    // A kubelet has a self-signed certificate, and this one is on the same machine.
    tls_config: { insecure_skip_verify: true },
    static_configs: ["/metrics", "/metrics/cadvisor", "/metrics/probes"].map(kubelet),
    metric_relabel_configs: [drop(NOT_OF_KUBELET), drop(NOT_OF_CONTAINERS)],
  },
  {
    job_name: "node-exporter",
    static_configs: [{ targets: [`${address}:${NODE_EXPORTER_PORT}`], labels: { node, namespace: BOX_NAMESPACE } }],
  },
  {
    ...podsJob("kube-state-metrics", {
      namespace: BOX_NAMESPACE,
      labels: { "app.kubernetes.io/name": "kube-state-metrics", "app.kubernetes.io/instance": STATE_METRICS_RELEASE },
      port: STATE_METRICS_PORT,
      path: "/metrics",
    }),
    // Its series are about other pods.
    honor_labels: true,
  },
  ...Object.entries(scrape).map(([name, pods]) => podsJob(name, pods)),
];
