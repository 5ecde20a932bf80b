import { z } from "zod";
import { volumeSize } from "../option-types";

export const vaultOptions = z.strictObject({
  storageClass: z.string().optional().describe("Class of both volumes. Left out: the cluster's own"),
  size: volumeSize.default("10Gi").describe("Size of the volume with the entries"),
  auditSize: volumeSize.default("10Gi").describe("Size of the volume with the audit log"),
});

export type VaultOptions = z.output<typeof vaultOptions>;
