/** Configuration of the hub's collector. Pure. */
import { JAEGER_OTLP_URL } from "../jaeger/values";
import { REMOTE_WRITE_URL } from "../kube-prometheus-stack/values";
import { LOKI_URL } from "../loki/values";
import { HEALTH_CHECK, MEMORY_LIMITER, OTLP_HTTP_PORT, OWN_ADDRESS, OWN_METRICS, variable } from "./chart";

/** Variable with a sender's password. */
export const passwordVariable = (sender: string): string => `PASSWORD_OF_${sender.toUpperCase().replaceAll("-", "_")}`;

const AUTHENTICATOR = "basicauth/senders";
/** Name of the user who has logged in: a box cannot send under the name of another one. */
const SENDER = { from_context: "auth.username", action: "upsert" } as const;

/**
 * One entry point for everything: OTLP over HTTP with user and password. It forwards to Jaeger, Loki and Prometheus.
 * @param senders names of users
 */
export const hubConfig = (senders: readonly string[]) => ({
  extensions: {
    ...HEALTH_CHECK,
    // A line for each user. A password without the prefix of a hash is plain text.
    [AUTHENTICATOR]: { htpasswd: { inline: senders.map((sender) => `${sender}:${variable(passwordVariable(sender))}\n`).join("") } },
  },
  receivers: {
    otlp: { protocols: { http: { endpoint: `${OWN_ADDRESS}:${OTLP_HTTP_PORT}`, auth: { authenticator: AUTHENTICATOR } } } },
  },
  processors: {
    ...MEMORY_LIMITER,
    // An attribute of the resource: Loki makes a label of it, Jaeger a tag.
    "resource/sender": { attributes: [{ key: "k8s.cluster.name", ...SENDER }] },
    // An attribute of each sample, since a resource's attributes do not become labels in Prometheus.
    "attributes/sender": { actions: [{ key: "cluster", ...SENDER }] },
    // After these two, since a batch mixes several senders.
    batch: {},
  },
  exporters: {
    "otlp_http/jaeger": { endpoint: JAEGER_OTLP_URL },
    "otlp_http/loki": { endpoint: `${LOKI_URL}/otlp` },
    prometheus_remote_write: {
      endpoint: REMOTE_WRITE_URL,
      // Keeps the names that programs give their metrics: rules and dashboards use those.
      translation_strategy: "UnderscoreEscapingWithoutSuffixes",
      // With labels for the collector's version, every new version would begin new series.
      disable_scope_info: true,
      target_info: { enabled: false },
    },
  },
  service: {
    extensions: ["health_check", AUTHENTICATOR],
    telemetry: OWN_METRICS,
    pipelines: {
      traces: { receivers: ["otlp"], processors: ["memory_limiter", "resource/sender", "batch"], exporters: ["otlp_http/jaeger"] },
      logs: { receivers: ["otlp"], processors: ["memory_limiter", "resource/sender", "batch"], exporters: ["otlp_http/loki"] },
      metrics: { receivers: ["otlp"], processors: ["memory_limiter", "attributes/sender", "batch"], exporters: ["prometheus_remote_write"] },
    },
  },
});
