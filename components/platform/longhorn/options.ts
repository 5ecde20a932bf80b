import { z } from "zod";
import { volumeSize } from "../option-types";

/**
 * The last release of each minor version, the oldest first: Longhorn upgrades from one minor to the next and leaves none out
 * (https://longhorn.io/docs/latest/deploy/upgrade). Its pre-upgrade Job refuses anything else.
 */
export const LONGHORN_STEPS = ["1.9.2", "1.10.2", "1.11.3", "1.12.1"] as const;

export const longhornOptions = z.strictObject({
  version: z
    .enum(LONGHORN_STEPS)
    .default("1.12.1")
    .describe(
      "Version of the chart. One that runs an older minor goes through each of them, with an `up` for each. Before 1.10 nothing may be stored as v1beta1 (`storedVersions`)",
    ),
  replicas: z.int().min(1).max(3).default(1).describe("Copies of each volume, each on another node. More than there are nodes cannot be kept"),
  size: volumeSize.default("200Gi").describe("What its volumes take together of the nodes' disks"),
});

export type LonghornOptions = z.output<typeof longhornOptions>;
