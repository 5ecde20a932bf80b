/**
 * Tests each of our alerts with Prometheus' own tool. It fires on series of the failure that it is for, with the labels by which it is
 * routed, and not on similar series without a failure.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import type { AlertRule } from "../../components/base/monitoring";
import { ALERTS } from "../../components/platform/kube-prometheus-stack/alerts";
import { hubAlerts } from "../../components/platform/otel-collector/alerts";
import { describeReal } from "../support/real-parts";

const GROUPS = { ...ALERTS, ...hubAlerts(["dev"]) };
const RULES: readonly AlertRule[] = Object.values(GROUPS).flat();

interface Case {
  /** Series for which the alert fires: `<name and labels>` → `<values>`, one value a minute. */
  readonly fires: Readonly<Record<string, string>>;
  /** Similar series for which it must not fire. */
  readonly quiet: Readonly<Record<string, string>>;
  /** The minute at which the alert is evaluated. */
  readonly at: number;
  /** Labels of the alert beside its name and severity. */
  readonly labels: Readonly<Record<string, string>>;
}

const POD = 'cluster="dev", namespace="shop", pod="a", container="c"';
const OF_POD = { cluster: "dev", namespace: "shop", pod: "a", container: "c" };
const PG = 'cluster="tools", namespace="postgres", pod="pg-1"';
const OF_PG = { cluster: "tools", namespace: "postgres", pod: "pg-1" };
const BACKUP = `barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{${PG}}`;
const OF_CLUSTER = { cluster: "tools", namespace: "postgres" };
const NATS = 'cluster="tools", namespace="nats", pod="nats-0"';
const JOB = 'cluster="tools", namespace="state-backup", cronjob="state-backup"';
const OF_JOB = { cluster: "tools", namespace: "state-backup", cronjob: "state-backup" };
/** Three days in minutes. In promtool's tests time begins at zero. */
const THREE_DAYS = 3 * 24 * 60;

const CASES: Readonly<Record<string, Case>> = {
  ContainerOutOfMemory: {
    fires: {
      [`kube_pod_container_status_restarts_total{${POD}}`]: "0x10 1x20",
      [`kube_pod_container_status_last_terminated_reason{${POD}, reason="OOMKilled"}`]: "_x10 1x20",
    },
    quiet: {
      [`kube_pod_container_status_restarts_total{${POD}}`]: "0x10 1x20",
      [`kube_pod_container_status_last_terminated_reason{${POD}, reason="Error"}`]: "_x10 1x20",
    },
    at: 15,
    labels: OF_POD,
  },
  PostgresDown: { fires: { [`cnpg_collector_up{${PG}}`]: "0x20" }, quiet: { [`cnpg_collector_up{${PG}}`]: "0x3 1x20" }, at: 10, labels: OF_PG },
  PostgresBackupTooOld: {
    fires: { [BACKUP]: `60x${THREE_DAYS}` },
    quiet: { [BACKUP]: `60x2000 120000x${THREE_DAYS}` },
    at: THREE_DAYS,
    labels: OF_CLUSTER,
  },
  PostgresNeverBackedUp: { fires: { [BACKUP]: `0x${THREE_DAYS}` }, quiet: { [BACKUP]: `0x600 36000x${THREE_DAYS}` }, at: 30 * 60, labels: OF_CLUSTER },
  PostgresArchivesNothing: {
    fires: { [`cnpg_pg_stat_archiver_failed_count{${PG}}`]: "0+1x90" },
    quiet: { [`cnpg_pg_stat_archiver_failed_count{${PG}}`]: "7x90" },
    at: 80,
    labels: OF_PG,
  },
  PostgresReplicaLags: {
    fires: { [`cnpg_pg_replication_lag{${PG}}`]: "400x30" },
    quiet: { [`cnpg_pg_replication_lag{${PG}}`]: "400x5 2x30" },
    at: 20,
    labels: OF_PG,
  },
  StateBackupTooOld: {
    fires: { [`kube_cronjob_status_last_successful_time{${JOB}}`]: `60x${THREE_DAYS}` },
    // A backup each night, and another CronJob without any success, which the alert ignores.
    quiet: {
      [`kube_cronjob_status_last_successful_time{${JOB}}`]: `60x1500 90000x1500 180000x${THREE_DAYS}`,
      'kube_cronjob_status_last_successful_time{cluster="tools", namespace="harbor", cronjob="cleanup"}': `60x${THREE_DAYS}`,
    },
    at: THREE_DAYS,
    labels: OF_JOB,
  },
  StateBackupNeverMade: {
    fires: { [`kube_cronjob_created{${JOB}}`]: `60x${THREE_DAYS}` },
    quiet: { [`kube_cronjob_created{${JOB}}`]: `60x${THREE_DAYS}`, [`kube_cronjob_status_last_successful_time{${JOB}}`]: `_x600 36000x${THREE_DAYS}` },
    at: 30 * 60,
    labels: OF_JOB,
  },
  StateBackupSuspended: {
    fires: { [`kube_cronjob_spec_suspend{${JOB}}`]: `1x${THREE_DAYS}` },
    quiet: { [`kube_cronjob_spec_suspend{${JOB}}`]: `1x600 0x${THREE_DAYS}` },
    at: 30 * 60,
    labels: OF_JOB,
  },
  NatsClientTooSlow: {
    fires: { [`nats_varz_slow_consumers{${NATS}}`]: "0x10 1x30" },
    quiet: { [`nats_varz_slow_consumers{${NATS}}`]: "1x40" },
    at: 15,
    labels: { cluster: "tools", namespace: "nats", pod: "nats-0" },
  },
  LokiTakesNothing: {
    fires: { loki_distributor_lines_received_total: "5x60" },
    quiet: { loki_distributor_lines_received_total: "5+1x60" },
    at: 45,
    labels: {},
  },
  BoxSilent_dev: {
    fires: { 'up{cluster="dev", job="kubelet"}': "1x5 _x60", 'up{cluster="stg", job="kubelet"}': "1x60" },
    // The box reports that something is down, so it is not silent.
    quiet: { 'up{cluster="dev", job="kubelet"}': "0x60" },
    at: 40,
    labels: { cluster: "dev" },
  },
  CollectorCannotDeliver: {
    fires: { 'otelcol_exporter_send_failed_spans_total{namespace="telemetry", exporter="otlp_http/jaeger"}': "0+10x60" },
    quiet: {
      'otelcol_exporter_send_failed_spans_total{namespace="telemetry", exporter="otlp_http/jaeger"}': "3x60",
      'otelcol_exporter_sent_spans_total{namespace="telemetry", exporter="otlp_http/jaeger"}': "0+10x60",
    },
    at: 45,
    labels: { exporter: "otlp_http/jaeger" },
  },
  CollectorRefusesForMemory: {
    fires: { 'otelcol_receiver_refused_log_records{namespace="telemetry", pod="a"}': "0+10x60" },
    quiet: { 'otelcol_receiver_accepted_log_records{namespace="telemetry", pod="a"}': "0+10x60" },
    at: 45,
    labels: { pod: "a" },
  },
};

test("each alert has a case", () => {
  expect(Object.keys(CASES).toSorted()).toEqual(RULES.map(({ alert }) => alert).toSorted());
});

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"));
  const groups = Object.entries(GROUPS).map(([name, rules]) => ({
    name,
    rules: rules.map(({ alert, expr, for: duration, severity }) => ({ alert, expr, for: duration, labels: { severity } })),
  }));
  fs.writeFileSync(path.join(folder, "rules.yaml"), stringify({ groups }));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

describeReal(["promtool"], "Prometheus", (pathOf) => {
  const run = (...args: string[]): string => execFileSync(pathOf("promtool"), args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
  const series = (given: Readonly<Record<string, string>>) => Object.entries(given).map(([name, values]) => ({ series: name, values }));

  function outcome(alert: string, given: Readonly<Record<string, string>>, at: number, expected: readonly object[]): string {
    const file = path.join(folder, "test.yaml");
    const rule = [{ eval_time: `${at}m`, alertname: alert, exp_alerts: expected }];
    // Over several days, evaluating each minute would take too long.
    const evaluation = at > 24 * 60 ? "30m" : "1m";
    fs.writeFileSync(
      file,
      stringify({
        rule_files: ["rules.yaml"],
        evaluation_interval: evaluation,
        tests: [{ interval: "1m", input_series: series(given), alert_rule_test: rule }],
      }),
    );
    return run("test", "rules", file);
  }

  test("Prometheus accepts the rules", () => {
    expect(run("check", "rules", "rules.yaml")).toContain(`SUCCESS: ${RULES.length} rules found`);
  });

  test.each(Object.entries(CASES))("%s fires for its failure", (alert, { fires, at, labels }) => {
    const severity = RULES.find((rule) => rule.alert === alert)?.severity;
    expect(outcome(alert, fires, at, [{ exp_labels: { severity, ...labels } }])).toContain("SUCCESS");
  });

  test.each(Object.entries(CASES))("%s does not fire for similar series", (alert, { quiet, at }) => {
    expect(outcome(alert, quiet, at, [])).toContain("SUCCESS");
  });

  test("promtool fails where an expected alert does not fire", () => {
    const { quiet, at, labels } = CASES["PostgresDown"] as Case;
    expect(() => outcome("PostgresDown", quiet, at, [{ exp_labels: { severity: "critical", ...labels } }])).toThrow();
  });
});
