import { z } from "zod";
import { volumeSize } from "../volume-size";

export const vaultOptions = z.strictObject({
  /** Default: the environment's. */
  storageClass: z.string().optional(),
  /** Of the volume with the entries. */
  size: volumeSize.default("10Gi"),
  /** Of the volume with the audit log. */
  auditSize: volumeSize.default("10Gi"),
});

export type VaultOptions = z.output<typeof vaultOptions>;
