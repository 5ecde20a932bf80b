/** Values of the chart longhorn. */
import type { ChartPin } from "../pins";
import { sized } from "../sized";
import type { LonghornOptions } from "./options";

const CHART = {
  repository: "https://charts.longhorn.io",
  name: "longhorn",
  kubeVersion: ">=1.25.0-0",
} as const;

export const LONGHORN_CHART = {
  ...CHART,
  version: "1.12.1",
  why: "Longhorn 1.12; the original's 1.9 comes here by 1.10 and 1.11",
} as const satisfies ChartPin;

export const longhornChart = (version: LonghornOptions["version"]): ChartPin =>
  version === LONGHORN_CHART.version ? LONGHORN_CHART : { ...CHART, version, why: "a step on the way to the newest one" };

export const LONGHORN_NAMESPACE = "longhorn-system";
export const LONGHORN_CLASS = "longhorn";
const LONGHORN_MANAGER = { cpu: "100m", memory: "256Mi" } as const;

/** API version of its objects. */
export const LONGHORN_API = "longhorn.io/v1beta2";
/** Longhorn refuses its removal unless this setting is true. */
export const DELETING_CONFIRMATION = "deleting-confirmation-flag";

/** Charts before 1.11 have no value for it. */
const managerResources = (version: LonghornOptions["version"]) =>
  version === "1.9.2" || version === "1.10.2" ? {} : { longhornManager: { resources: sized(LONGHORN_MANAGER.cpu, LONGHORN_MANAGER.memory, "1Gi") } };

export function longhornValues({ replicas, version }: Pick<LonghornOptions, "replicas" | "version">) {
  return {
    // The cluster has a default class already.
    persistence: { defaultClass: false, defaultClassReplicaCount: replicas },
    defaultSettings: { defaultReplicaCount: replicas, upgradeChecker: false, allowCollectingLonghornUsageMetrics: false },
    csi: { attacherReplicaCount: 1, provisionerReplicaCount: 1, resizerReplicaCount: 1, snapshotterReplicaCount: 1 },
    // Refuses an upgrade that leaves a minor version out.
    preUpgradeChecker: { jobEnabled: true, upgradeVersionCheck: true },
    ...managerResources(version),
    // It has no login: Teleport shows it to those who may see it.
    longhornUI: { replicas: 1 },
    ingress: { enabled: false },
  };
}
