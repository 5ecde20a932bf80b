/** Values of a box's charts. */
import type { WantedSecret } from "../namespace-grants";
import { NODE_EXPORTER_RIGHTS } from "../node-exporter";
import { collectorValues, fromField, fromSecret } from "../otel-collector/chart";
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import { agentConfig, type Hub, otlpConfig, STATE_FOLDER } from "./config";
import { AGENT_RELEASE, HUB_KEY, HUB_SECRET, HUB_VARIABLE, NODE_EXPORTER_RELEASE, OTLP_RELEASE, STATE_METRICS_RELEASE } from "./names";
import type { BoxOptions } from "./options";
import { NODE_ADDRESS, NODE_NAME } from "./scrape";

const PROMETHEUS_CHARTS = "https://prometheus-community.github.io/helm-charts";

export const STATE_METRICS_CHART = {
  repository: PROMETHEUS_CHARTS,
  name: "kube-state-metrics",
  version: "8.4.0",
  why: "kube-state-metrics 2.20, as kube-prometheus-stack 88.5.3 has it",
} as const satisfies ChartPin;

export const NODE_EXPORTER_CHART = {
  repository: PROMETHEUS_CHARTS,
  name: "prometheus-node-exporter",
  version: "4.56.1",
  why: "node-exporter 1.12, as kube-prometheus-stack 88.5.3 has it",
} as const satisfies ChartPin;

export const boxSecret = ({ credential }: Pick<BoxOptions, "credential">): WantedSecret => ({ name: HUB_SECRET, data: { [HUB_KEY]: credential } });

const PASSWORD = fromSecret(HUB_VARIABLE, HUB_SECRET, HUB_KEY);

/** @typeParam T text, or an output of one */
export interface BoxValuesArgs<T> {
  readonly options: BoxOptions;
  readonly hub: Hub<T>;
  readonly credentialMark: T;
}

const otlpValues = <T>({ options: { replicas }, hub, credentialMark }: BoxValuesArgs<T>) =>
  collectorValues({
    name: OTLP_RELEASE,
    mode: "deployment",
    config: otlpConfig(hub),
    environment: [PASSWORD],
    ports: { "otlp-grpc": true, "otlp-http": true },
    resources: sized("50m", "96Mi", "256Mi"),
    replicas,
    credentialMark,
  });

const agentValues = <T>({ options, hub, credentialMark }: BoxValuesArgs<T>) => ({
  ...collectorValues({
    name: AGENT_RELEASE,
    mode: "daemonset",
    config: agentConfig(hub, options),
    environment: [PASSWORD, fromField(NODE_NAME, "spec.nodeName"), fromField(NODE_ADDRESS, "status.hostIP")],
    ports: { "otlp-grpc": false, "otlp-http": false },
    resources: sized("100m", "192Mi", "512Mi"),
    credentialMark,
    asRoot: true,
    asksTheApi: options.metrics,
  }),
  ...(options.metrics
    ? {
        clusterRole: {
          create: true,
          rules: [
            { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
            { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
          ],
        },
      }
    : {}),
  // The agent runs on control planes too, for their logs.
  tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
  extraVolumes: [
    { name: "logs", hostPath: { path: "/var/log/pods" } },
    { name: "state", hostPath: { path: STATE_FOLDER, type: "DirectoryOrCreate" } },
  ],
  extraVolumeMounts: [
    { name: "logs", mountPath: "/var/log/pods", readOnly: true },
    { name: "state", mountPath: STATE_FOLDER },
  ],
});

const stateMetricsValues = () => ({
  fullnameOverride: STATE_METRICS_RELEASE,
  prometheusScrape: false,
  resources: sized("10m", "64Mi", "256Mi"),
});

const nodeExporterValues = () => ({
  fullnameOverride: NODE_EXPORTER_RELEASE,
  ...NODE_EXPORTER_RIGHTS,
  resources: sized("20m", "32Mi", "128Mi"),
});

/** Helm values by release. */
export const boxValues = <T>(args: BoxValuesArgs<T>): Readonly<Record<string, Record<string, unknown>>> => ({
  ...(args.options.metrics ? { [STATE_METRICS_RELEASE]: stateMetricsValues(), [NODE_EXPORTER_RELEASE]: nodeExporterValues() } : {}),
  [AGENT_RELEASE]: agentValues(args),
  ...(args.options.otlp ? { [OTLP_RELEASE]: otlpValues(args) } : {}),
});
