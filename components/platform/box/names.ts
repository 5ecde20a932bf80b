/** Names of what a box is made of. */
export const BOX_NAMESPACE = "box";
/** Takes what applications send. */
export const OTLP_RELEASE = "collector";
/** One on each machine: logs and metrics. */
export const AGENT_RELEASE = "agent";
export const STATE_METRICS_RELEASE = "kube-state-metrics";
export const STATE_METRICS_PORT = 8080;
export const NODE_EXPORTER_RELEASE = "node-exporter";
/** Secret with the password by which it sends. */
export const HUB_SECRET = "hub-credential";
export const HUB_KEY = "password";
/** Variable with it. */
export const HUB_VARIABLE = "HUB_PASSWORD";
