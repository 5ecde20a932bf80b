import { defineModule } from "../module";
import { routeClasses } from "../place";
import { kubePrometheusStackOptions } from "./options";
import { KUBE_PROMETHEUS_STACK_CHART, kubePrometheusStackValues, MONITORING_NAMESPACE, MONITORING_SECRETS, RELEASE } from "./values";

export const kubePrometheusStack = defineModule({
  name: "kube-prometheus-stack",
  summary: "metrics of the cluster, alerts to people, and Grafana at grafana.<domain>. Prometheus has no login and so no host name: Grafana shows it",
  charts: { [RELEASE]: KUBE_PROMETHEUS_STACK_CHART },
  options: kubePrometheusStackOptions,
  provides: ["metrics-store"],
  exceptions: [
    { rule: "host-access", workload: "kube-prometheus-stack-prometheus-node-exporter", why: "it measures the machine" },
    { rule: "liveness-apart", workload: "kube-prometheus-stack-prometheus-node-exporter", why: "it depends on nothing but the machine" },
    { rule: "liveness-apart", workload: "kube-prometheus-stack-operator", why: "it is its own server that is asked, which depends on nothing" },
    { rule: "liveness-apart", workload: "kube-prometheus-stack-grafana", why: "its database is a file of its own" },
    ...(["grafana-sc-dashboard", "grafana-sc-datasources"] as const).flatMap((container) =>
      (["readiness", "liveness"] as const).map((rule) => ({
        rule,
        workload: "kube-prometheus-stack-grafana",
        container,
        why: "the chart has no probes of the containers that bring dashboards and data sources",
      })),
    ),
  ],
  parts: ({ storageClass: own, size, retentionDays }, { environment, domain, storageClass, routes }) => ({
    namespaces: [MONITORING_NAMESPACE],
    // The node exporter reads all of the machine: its network, its processes and its disks.
    podSecurity: { [MONITORING_NAMESPACE]: "privileged" },
    needs: ["prometheus-operator-crds", "external-secrets", "cluster-access", "certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: routeClasses({ routes }),
    hosts: [{ name: `grafana.${domain}`, serves: "Grafana", route: "ingress" }],
    namespaceSecrets: [{ namespace: MONITORING_NAMESPACE, wanted: MONITORING_SECRETS }],
    flows: [
      { direction: "in", peer: "routes", port: 3000, why: "Grafana" },
      { direction: "in", peer: "cluster", port: 10250, why: "the API asks the operator's webhook about each rule" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: 3000, why: "Prometheus measures Grafana" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: 8080, why: "Prometheus measures kube-state-metrics, and config reloaders" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: 9090, why: "Grafana asks Prometheus" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: 9093, why: "Prometheus sends alerts to Alertmanager" },
      { direction: "in", peer: MONITORING_NAMESPACE, port: 10250, why: "Prometheus measures the operator" },
      { direction: "out", peer: "cluster", port: 6443, why: "the operator and kube-state-metrics watch the cluster" },
      { direction: "out", peer: "cluster", port: 9100, why: "Prometheus measures the machines, by the exporter in their network" },
      { direction: "out", peer: "cluster", port: 10250, why: "Prometheus measures kubelets" },
      // The receivers' addresses are secrets. So any address on the internet is allowed, and any in the homelab.
      { direction: "out", peer: "https://receiver.example", port: 443, why: "alerts and the heartbeat" },
      { direction: "out", peer: "homelab", port: 443, why: "alerts, where their receiver is one of the homelab" },
    ],
    workloads: [
      { name: "operator", cpu: "20m", memory: "64Mi" },
      { name: "prometheus", cpu: "200m", memory: "512Mi" },
      { name: "alertmanager", cpu: "10m", memory: "32Mi" },
      { name: "grafana", cpu: "70m", memory: "256Mi" },
      { name: "kube-state-metrics", cpu: "10m", memory: "64Mi" },
      { name: "node-exporter", cpu: "20m", memory: "32Mi" },
    ],
    volumes: [
      { name: "metrics", size },
      { name: "alerts", size: "1Gi" },
    ],
    values: {
      [RELEASE]: kubePrometheusStackValues({ environment, storageClass: own ?? storageClass, size, retentionDays, grafanaHost: `grafana.${domain}` }),
    },
  }),
  build: () => (require("./kube-prometheus-stack") as typeof import("./kube-prometheus-stack")).buildKubePrometheusStack,
});
