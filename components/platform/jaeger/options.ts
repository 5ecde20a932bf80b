import { z } from "zod";
import { volumeSize } from "../option-types";

export const jaegerOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of its volume. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of the volume with the traces"),
  retentionDays: z.int().min(1).max(90).default(3).describe("Days for which traces are kept; older ones are deleted"),
});

export type JaegerOptions = z.output<typeof jaegerOptions>;
