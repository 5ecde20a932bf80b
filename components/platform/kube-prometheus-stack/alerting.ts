/** Where alerts go, as Alertmanager's configuration. Pure. */

/** Secret with the addresses that alerts are posted to. */
export const RECEIVERS_SECRET = "alertmanager-receivers";
/** Its keys, which Alertmanager reads as files. */
export const RECEIVER_KEYS = { people: "people", heartbeat: "heartbeat" } as const;

/** Where the operator mounts Secrets that its Alertmanager names. */
const fileOf = (key: string): string => `/etc/alertmanager/secrets/${RECEIVERS_SECRET}/${key}`;

/**
 * Everything that is not told apart reaches people: a new alert is heard before it has a route. `Watchdog` always fires: it is sent
 * to somebody outside, who tells people when it stops coming, since then nothing here can.
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
        // It is there to keep `info` quiet where nothing worse fires, and no news itself.
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
