import { cluster } from "./cluster";
import { logs } from "./logs";
import { nodes } from "./nodes";
import { overview } from "./overview";
import type { Dashboard } from "./panel";
import { services } from "./services";
import { traces } from "./traces";

/** Label by which Grafana's sidecar finds their ConfigMap. */
export const DASHBOARD_LABEL = { grafana_dashboard: "1" } as const;

/** By file name. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = { homelab: overview, cluster, nodes, services, logs, traces };
