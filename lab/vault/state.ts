import { z } from "zod";

const versionSchema = z.object({ data: z.record(z.string(), z.unknown()).nullable(), created: z.string(), deleted: z.string(), destroyed: z.boolean() });
const entrySchema = z.object({
  versions: z.array(versionSchema),
  created: z.string(),
  updated: z.string(),
  custom: z.record(z.string(), z.string()).nullable(),
  maxVersions: z.number(),
  casRequired: z.boolean(),
});
const mountSchema = z.object({
  type: z.string(),
  description: z.string(),
  options: z.record(z.string(), z.string()).nullable(),
  config: z.record(z.string(), z.unknown()),
  accessor: z.string(),
  uuid: z.string(),
});
const tokenSchema = z.object({
  hash: z.string(),
  accessor: z.string(),
  policies: z.array(z.string()),
  displayName: z.string(),
  created: z.number(),
  expires: z.number().nullable(),
  period: z.number(),
  ttl: z.number(),
  renewable: z.boolean(),
  orphan: z.boolean(),
  metadata: z.record(z.string(), z.string()).nullable(),
  path: z.string(),
});

/** All that a Vault keeps. Keys and tokens are kept as hashes only: what was shown once is known to its receiver alone. */
export const vaultStateSchema = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  keyHashes: z.array(z.string()),
  threshold: z.number(),
  progress: z.array(z.string()),
  clusterId: z.string(),
  mounts: z.record(z.string(), mountSchema),
  auths: z.record(z.string(), mountSchema),
  policies: z.record(z.string(), z.string()),
  audits: z.record(z.string(), z.unknown()),
  tokens: z.array(tokenSchema),
  /** By mount path and entry path. */
  kv: z.record(z.string(), z.record(z.string(), entrySchema)),
  authConfigs: z.record(z.string(), z.record(z.string(), z.unknown())),
  authRoles: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
});

export type VaultState = z.infer<typeof vaultStateSchema>;
export type KvEntry = z.infer<typeof entrySchema>;
export type VaultToken = z.infer<typeof tokenSchema>;
export type VaultMount = z.infer<typeof mountSchema>;
