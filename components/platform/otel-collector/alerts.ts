/** Alerts about the hub and what it receives. Pure. */
import type { AlertRule } from "../../base/monitoring";

/** One for each environment: one whose metrics stop coming cannot report that itself. */
const silent = (sender: string): AlertRule => ({
  alert: `BoxSilent_${sender.replaceAll("-", "_")}`,
  expr: `absent(up{cluster="${sender}"})`,
  for: "15m",
  severity: "critical",
  summary: `no metrics have come from ${sender} for 15 minutes: look at its cluster, at the pods of its namespace box, and at their way to the hub`,
});

export const hubAlerts = (measured: readonly string[]): Record<string, AlertRule[]> => ({
  boxes: measured.map(silent),
  collector: [
    {
      alert: "CollectorCannotDeliver",
      expr: 'sum by (exporter) (rate({__name__=~"otelcol_exporter_send_failed_(spans|log_records|metric_points)(_total)?", namespace="telemetry"}[10m])) > 0',
      for: "15m",
      severity: "warning",
      summary: "the hub's collector cannot hand on what it gets by {{ $labels.exporter }}: look at the pods of that store",
    },
    {
      alert: "CollectorRefusesForMemory",
      expr: 'sum by (pod) (rate({__name__=~"otelcol_receiver_refused_(spans|log_records|metric_points)(_total)?", namespace="telemetry"}[10m])) > 0',
      for: "15m",
      severity: "warning",
      summary: "{{ $labels.pod }} refuses what boxes send, since its memory is used up: give it more, or send less",
    },
  ],
});
