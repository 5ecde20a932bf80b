import { z } from "zod";
import { storePath } from "../../../common/vault-layout";
import { volumeSize } from "../option-types";

const GRAFANA = storePath("GRAFANA");
export const GRAFANA_USER = { path: GRAFANA, key: "GRAFANA_USER" } as const;
export const GRAFANA_PASSWORD = { path: GRAFANA, key: "GRAFANA_PASSWORD" } as const;

const ALERTING = storePath("ALERTING");
/** Where alerts for people are posted. A secret: whoever knows it can post. */
export const ALERT_URL = { path: ALERTING, key: "ALERT_WEBHOOK_URL" } as const;
/** The service that is called there tells people when the calls stop. */
export const HEARTBEAT_URL = { path: ALERTING, key: "ALERT_HEARTBEAT_URL" } as const;

export const kubePrometheusStackOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volumes. Left out: the cluster's own"),
  size: volumeSize.default("20Gi").describe("Size of the volume with the metrics"),
  retentionDays: z.int().min(1).max(365).default(15).describe("Days for which metrics are kept, as long as the volume has room"),
});

export type KubePrometheusStackOptions = z.output<typeof kubePrometheusStackOptions>;
