import { dashboard } from "./panel";

const HUB = 'namespace="telemetry"';

/** What the hub receives and forwards, and the latest traces. */
export const traces = dashboard({
  uid: "homelab-traces",
  title: "Homelab / traces and the hub",
  variables: [],
  panels: [
    {
      title: "Spans taken",
      unit: "ops",
      query: `sum by (pod) (rate({__name__=~"otelcol_receiver_accepted_spans(_total)?", ${HUB}}[5m]))`,
      legend: "{{pod}}",
    },
    {
      title: "Handed on",
      unit: "ops",
      query: `sum by (exporter) (rate({__name__=~"otelcol_exporter_sent_(spans|log_records|metric_points)(_total)?", ${HUB}}[5m]))`,
      legend: "{{exporter}}",
    },
    {
      title: "Refused and not delivered",
      unit: "ops",
      query: `sum by (pod) (rate({__name__=~"otelcol_receiver_refused_(spans|log_records|metric_points)(_total)?", ${HUB}}[5m]))`,
      legend: "{{pod}} refused",
      more: [
        {
          query: `sum by (exporter) (rate({__name__=~"otelcol_exporter_send_failed_(spans|log_records|metric_points)(_total)?", ${HUB}}[5m]))`,
          legend: "{{exporter}} not delivered",
        },
      ],
    },
    { title: "Lines that Loki took", unit: "ops", query: "sum(rate(loki_distributor_lines_received_total[5m]))", legend: "lines" },
    { title: "Latest traces of applications", type: "table", source: "jaeger", width: 24, query: "whoami" },
  ],
});
