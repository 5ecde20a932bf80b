/** Names of the parts of a box. */
export const BOX_NAMESPACE = "box";
/** Receives what applications send. */
export const OTLP_RELEASE = "collector";
/** One on each machine: logs and metrics. */
export const AGENT_RELEASE = "agent";
export const STATE_METRICS_RELEASE = "kube-state-metrics";
export const STATE_METRICS_PORT = 8080;
export const NODE_EXPORTER_RELEASE = "node-exporter";
/** Secret with the password by which it sends. */
export const HUB_SECRET = "hub-credential";
export const HUB_KEY = "password";
/** Environment variable with the password. */
export const HUB_VARIABLE = "HUB_PASSWORD";
