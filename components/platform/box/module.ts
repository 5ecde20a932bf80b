import { defineModule, type Flow } from "../module";
import { hubHost } from "../otel-collector/values";
import type { Place } from "../place";
import { BOX_CHARTS } from "./charts";
import { AGENT_RELEASE, BOX_NAMESPACE, NODE_EXPORTER_RELEASE, OTLP_RELEASE, STATE_METRICS_PORT, STATE_METRICS_RELEASE } from "./names";
import { BOX_EXAMPLE, type BoxOptions, boxOptions } from "./options";
import { KUBELET_PORT, NODE_EXPORTER_PORT } from "./scrape";
import { boxSecret, boxValues } from "./values";

const METRICS_FLOWS: readonly Flow[] = [
  { direction: "in", peer: BOX_NAMESPACE, port: STATE_METRICS_PORT, why: "the agent measures kube-state-metrics" },
  { direction: "out", peer: "cluster", port: 6443, why: "the agent and kube-state-metrics watch the cluster" },
  { direction: "out", peer: "cluster", port: KUBELET_PORT, why: "the agent measures its machine's kubelet" },
  { direction: "out", peer: "cluster", port: NODE_EXPORTER_PORT, why: "the agent measures its machine, by the exporter in the machine's network" },
];

const flowsOf = ({ metrics, scrape }: BoxOptions, { domain }: Place): Flow[] => [
  { direction: "out", peer: `https://${hubHost(domain)}`, port: 443, why: "everything goes to the hub" },
  ...(metrics ? METRICS_FLOWS : []),
  ...Object.entries(scrape).map(([name, { namespace, port }]): Flow => ({ direction: "out", peer: namespace, port, why: `the agent measures ${name}` })),
];

const workloadsOf = ({ metrics, otlp, replicas }: BoxOptions) => [
  { name: AGENT_RELEASE, cpu: "100m", memory: "192Mi" },
  ...(otlp ? [{ name: OTLP_RELEASE, replicas, cpu: "50m", memory: "96Mi" }] : []),
  ...(metrics
    ? [
        { name: STATE_METRICS_RELEASE, cpu: "10m", memory: "64Mi" },
        { name: NODE_EXPORTER_RELEASE, cpu: "20m", memory: "32Mi" },
      ]
    : []),
];

/** Releases that the options ask for. */
const chartsOf = (values: Readonly<Record<string, unknown>>) => Object.fromEntries(Object.entries(BOX_CHARTS).filter(([release]) => release in values));

const OWN_HEALTH = "its health check asks nothing of the hub";

export const box = defineModule({
  name: "box",
  summary:
    "sends an environment to the hub at otel-collector.<domain>: logs of all containers (containerd's format), metrics of cluster and machines, and what applications send by OTLP to collector.box.svc",
  options: boxOptions,
  example: BOX_EXAMPLE,
  exceptions: [
    { rule: "host-access", workload: `${AGENT_RELEASE}-agent`, why: "it reads the machine's log files, and keeps there how far it has read" },
    { rule: "non-root", workload: `${AGENT_RELEASE}-agent`, why: "the log files are root's alone" },
    { rule: "liveness-apart", workload: `${AGENT_RELEASE}-agent`, why: OWN_HEALTH },
    { rule: "liveness-apart", workload: OTLP_RELEASE, why: OWN_HEALTH },
    { rule: "host-access", workload: NODE_EXPORTER_RELEASE, why: "it measures the machine" },
    { rule: "liveness-apart", workload: NODE_EXPORTER_RELEASE, why: "it depends on nothing but the machine" },
  ],
  parts: (options, place) => {
    const { domain, environment, vaultByOwnAuthority } = place;
    const authority = vaultByOwnAuthority ? "<certificate of the homelab's own authority>" : undefined;
    const values = boxValues({ options, hub: { host: hubHost(domain), user: environment, authority }, credentialMark: "<digest of the password>" });
    return {
      namespaces: [BOX_NAMESPACE],
      // The agent reads the machine's log files and metrics.
      podSecurity: { [BOX_NAMESPACE]: "privileged" },
      needs: ["external-secrets", "cluster-access"],
      after: ["otel-collector"],
      charts: chartsOf(values),
      namespaceSecrets: [{ namespace: BOX_NAMESPACE, wanted: [boxSecret(options)] }],
      programSecrets: [{ ...options.credential, why: "the pods restart when the password changes" }],
      flows: flowsOf(options, place),
      workloads: workloadsOf(options),
      values,
    };
  },
  build: () => (require("./box") as typeof import("./box")).buildBox,
});
