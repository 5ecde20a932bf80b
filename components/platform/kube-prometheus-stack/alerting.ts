/** Where alerts go, as Alertmanager's configuration. Pure. */

/** Secret with the addresses that alerts are posted to. */
export const RECEIVERS_SECRET = "alertmanager-receivers";
/** Its keys, which Alertmanager reads as files. */
export const RECEIVER_KEYS = { people: "people", heartbeat: "heartbeat" } as const;

/** Where the operator mounts Secrets that its Alertmanager names. */
const fileOf = (key: string): string => `/etc/alertmanager/secrets/${RECEIVERS_SECRET}/${key}`;

/**
 * Every alert without a route of its own goes to people, so that a new one is not missed. `Watchdog` always fires. It is sent to a service
 * outside, which tells people when it stops coming: then nothing here can.
 */
export function alertmanagerConfig() {
  return {
    global: { resolve_timeout: "5m" },
    route: {
      receiver: "people",
      group_by: ["alertname", "cluster", "namespace"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "12h",
      routes: [
        { receiver: "heartbeat", matchers: ['alertname = "Watchdog"'], group_wait: "0s", group_interval: "1m", repeat_interval: "5m" },
        // It only suppresses alerts of severity `info` where nothing worse fires. It is not sent to anybody.
        { receiver: "nobody", matchers: ['alertname = "InfoInhibitor"'] },
      ],
    },
    inhibit_rules: [
      { source_matchers: ['severity = "critical"'], target_matchers: ['severity =~ "warning|info"'], equal: ["namespace", "alertname"] },
      { source_matchers: ['severity = "warning"'], target_matchers: ['severity = "info"'], equal: ["namespace", "alertname"] },
      { source_matchers: ['alertname = "InfoInhibitor"'], target_matchers: ['severity = "info"'], equal: ["namespace"] },
    ],
    receivers: [
      { name: "people", webhook_configs: [{ url_file: fileOf(RECEIVER_KEYS.people), send_resolved: true }] },
      { name: "heartbeat", webhook_configs: [{ url_file: fileOf(RECEIVER_KEYS.heartbeat), send_resolved: false }] },
      { name: "nobody" },
    ],
    templates: [],
  };
}
