import { z } from "zod";
import { volumeSize } from "../option-types";

export const lokiOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("20Gi").describe("Size of the volume with the logs"),
  retentionDays: z.int().min(1).max(365).default(7).describe("Days for which logs are kept; older ones are deleted"),
});

export type LokiOptions = z.output<typeof lokiOptions>;
