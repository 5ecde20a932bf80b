import { z } from "zod";

const versionSchema = z.object({
  data: z.record(z.string(), z.unknown()).nullable(),
  created: z.string(),
  deleted: z.string(),
  destroyed: z.boolean(),
  /** The path by which it was written, where that has `.`, `..` or empty parts. */
  writtenAs: z.string().optional(),
});
const entrySchema = z.object({
  /** By number; old ones go when there are more than are kept. */
  versions: z.record(z.string(), versionSchema),
  current: z.number(),
  /** The oldest version that is kept; 0 until a write makes as many versions as are kept. */
  oldest: z.number().default(0),
  created: z.string(),
  updated: z.string(),
  custom: z.record(z.string(), z.string()).nullable(),
  /** 0: the mount's value holds. */
  maxVersions: z.number(),
  casRequired: z.boolean(),
  deleteVersionAfter: z.string(),
});
const kvSchema = z.object({ maxVersions: z.number(), casRequired: z.boolean(), deleteVersionAfter: z.string(), entries: z.record(z.string(), entrySchema) });
const mountSchema = z.object({
  type: z.string(),
  description: z.string(),
  options: z.record(z.string(), z.string()).nullable(),
  config: z.record(z.string(), z.unknown()),
  local: z.boolean(),
  sealWrap: z.boolean(),
  externalEntropy: z.boolean(),
  accessor: z.string(),
  uuid: z.string(),
});
const tokenSchema = z.object({
  hash: z.string(),
  accessor: z.string(),
  /** Hash of the token that made it, unless it is an orphan. */
  parent: z.string().nullable(),
  policies: z.array(z.string()),
  displayName: z.string(),
  /** Seconds since the epoch. */
  created: z.number(),
  expires: z.number().nullable(),
  renewed: z.number().nullable(),
  period: z.number(),
  ttl: z.number(),
  explicitMaxTtl: z.number(),
  renewable: z.boolean(),
  orphan: z.boolean(),
  /** 0 = any number; -1 = used up. */
  uses: z.number(),
  metadata: z.record(z.string(), z.string()).nullable(),
  path: z.string(),
  role: z.string(),
});
const configSchema = z.object({
  host: z.string(),
  caPem: z.string(),
  reviewerJwt: z.string(),
  disableLocal: z.boolean(),
  disableIssuerValidation: z.boolean(),
  issuer: z.string(),
  pemKeys: z.array(z.string()),
  annotationsAsMetadata: z.boolean(),
});

/** The stored state of a Vault. Keys and tokens are stored as hashes, since they are shown only once. */
export const vaultStateSchema = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  keyHashes: z.array(z.string()),
  threshold: z.number(),
  progress: z.array(z.string()),
  nonce: z.string(),
  clusterId: z.string(),
  clusterName: z.string(),
  mounts: z.record(z.string(), mountSchema),
  auths: z.record(z.string(), mountSchema),
  policies: z.record(z.string(), z.string()),
  audits: z.record(z.string(), z.record(z.string(), z.unknown())),
  tokens: z.array(tokenSchema),
  tokenRoles: z.record(z.string(), z.record(z.string(), z.unknown())),
  /** By mount path. */
  kv: z.record(z.string(), kvSchema),
  authConfigs: z.record(z.string(), configSchema),
  authRoles: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
});

export type VaultState = z.infer<typeof vaultStateSchema>;
export type KvStore = z.infer<typeof kvSchema>;
export type KvEntry = z.infer<typeof entrySchema>;
export type VaultToken = z.infer<typeof tokenSchema>;
export type VaultMount = z.infer<typeof mountSchema>;
export type KubernetesConfig = z.infer<typeof configSchema>;
