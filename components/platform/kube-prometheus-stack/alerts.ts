/** Our own alerts, beside the chart's. All use metrics that the hub receives from every environment with a box. Pure. */
import type { AlertRule } from "../../base/monitoring";
import { STATE_BACKUP_NAME as STATE_BACKUP } from "../state-backup/values";

const DAY = 24 * 3600;

export const ALERTS: Readonly<Record<string, readonly AlertRule[]>> = {
  pods: [
    {
      alert: "ContainerOutOfMemory",
      // It has been restarted, and its memory limit ended it before.
      expr: 'increase(kube_pod_container_status_restarts_total[15m]) > 0 and on (cluster, namespace, pod, container) kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1',
      for: "0m",
      severity: "warning",
      summary:
        "{{ $labels.cluster }}: {{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} ended for want of memory: raise its limit, or find what takes it",
    },
  ],
  postgres: [
    {
      alert: "PostgresDown",
      expr: "cnpg_collector_up == 0",
      for: "5m",
      severity: "critical",
      summary: "{{ $labels.cluster }}: Postgres {{ $labels.namespace }}/{{ $labels.pod }} does not answer its own operator: look at the pod's log",
    },
    {
      alert: "PostgresBackupTooOld",
      // 0 means that there is no backup yet. `max`, because every instance reports the same backups.
      expr: `time() - max by (cluster, namespace) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp > 0) > ${2 * DAY}`,
      for: "1h",
      severity: "critical",
      summary:
        "{{ $labels.cluster }}: the last backup of Postgres in {{ $labels.namespace }} is older than two days: look at its ScheduledBackup and at the bucket",
    },
    {
      alert: "PostgresNeverBackedUp",
      expr: "max by (cluster, namespace) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp) == 0",
      for: "26h",
      severity: "critical",
      summary: "{{ $labels.cluster }}: Postgres in {{ $labels.namespace }} has no backup after a day: look at its ScheduledBackup and at the bucket",
    },
    {
      alert: "PostgresArchivesNothing",
      expr: "increase(cnpg_pg_stat_archiver_failed_count[30m]) > 0",
      for: "30m",
      severity: "warning",
      summary:
        "{{ $labels.cluster }}: Postgres {{ $labels.namespace }}/{{ $labels.pod }} cannot archive what it writes: its disk fills, and a restore ends before now",
    },
    {
      alert: "PostgresReplicaLags",
      expr: "cnpg_pg_replication_lag > 300",
      for: "10m",
      severity: "warning",
      summary: "{{ $labels.cluster }}: the replica {{ $labels.namespace }}/{{ $labels.pod }} is {{ $value | humanizeDuration }} behind",
    },
  ],
  "state-backup": [
    {
      alert: "StateBackupTooOld",
      expr: `time() - max by (cluster, namespace, cronjob) (kube_cronjob_status_last_successful_time{cronjob="${STATE_BACKUP}"}) > ${2 * DAY}`,
      for: "1h",
      severity: "critical",
      summary:
        "{{ $labels.cluster }}: the last whole backup of states and databases is older than two days: look at the Jobs of {{ $labels.namespace }}/{{ $labels.cronjob }}, and at the log of the last one",
    },
    {
      alert: "StateBackupNeverMade",
      // The metric of the last success does not exist before the first one.
      expr: `kube_cronjob_created{cronjob="${STATE_BACKUP}"} unless on (cluster, namespace, cronjob) kube_cronjob_status_last_successful_time`,
      for: "26h",
      severity: "critical",
      summary:
        "{{ $labels.cluster }}: no backup of states and databases was made for a day: look at the Jobs of {{ $labels.namespace }}/{{ $labels.cronjob }}, and at the log of the last one",
    },
    {
      alert: "StateBackupSuspended",
      expr: `max by (cluster, namespace, cronjob) (kube_cronjob_spec_suspend{cronjob="${STATE_BACKUP}"}) == 1`,
      for: "1d",
      severity: "warning",
      summary:
        "{{ $labels.cluster }}: the backup of states and databases is suspended: set spec.suspend of {{ $labels.namespace }}/{{ $labels.cronjob }} to false",
    },
  ],
  nats: [
    {
      alert: "NatsClientTooSlow",
      // `delta`, because the exporter declares this counter as a gauge.
      expr: "delta(nats_varz_slow_consumers[15m]) > 0",
      for: "0m",
      severity: "warning",
      summary:
        "{{ $labels.cluster }}: NATS {{ $labels.namespace }}/{{ $labels.pod }} has cut off a client that did not take its messages: they are lost where they are not of a stream",
    },
  ],
  logs: [
    {
      alert: "LokiTakesNothing",
      expr: "sum(increase(loki_distributor_lines_received_total[15m])) == 0",
      for: "15m",
      severity: "warning",
      summary: "no environment's logs have come to Loki for half an hour: look at the collector otel-collector and at Loki's log",
    },
  ],
};
