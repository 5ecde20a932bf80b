/**
 * What the lab takes of Argo CD's kinds (v3.4): fields and values that it models. Another one is refused by its name, in the condition of
 * the Application or of the set. https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/
 */
import { z } from "zod";

export const ARGO_API = "argoproj.io/v1alpha1";
export const OWN_CLUSTER = "https://kubernetes.default.svc";
/** The finalizer with which a deleted Application deletes its objects. */
export const CASCADE = "resources-finalizer.argocd.argoproj.io";
export const PREFIX = "argocd.argoproj.io";

/** `true` and `false` as Argo CD writes options. */
const option = (name: string) => [`${name}=true`, `${name}=false`] as const;
const syncOptions = z.array(
  z.enum([
    ...option("CreateNamespace"),
    ...option("PruneLast"),
    ...option("ServerSideApply"),
    ...option("FailOnSharedResource"),
    ...(["ApplyOutOfSyncOnly=false", "SkipDryRunOnMissingResource=false"] as const),
  ]),
);

const sourceSchema = z.strictObject({
  repoURL: z.string(),
  targetRevision: z.string().default("HEAD"),
  path: z.string(),
});
export type Source = z.output<typeof sourceSchema>;

const destinationSchema = z.strictObject({ server: z.string().optional(), name: z.string().optional(), namespace: z.string().optional() });
export type Destination = z.output<typeof destinationSchema>;

/** As Go writes it. Argo CD also takes seconds without a unit; the lab does not. */
const durationSchema = z.string().regex(/^(\d+(\.\d+)?(ms|h|m|s))+$/);

const retrySchema = z.strictObject({
  limit: z.int().default(0),
  backoff: z.strictObject({ duration: durationSchema.optional(), factor: z.number().optional(), maxDuration: durationSchema.optional() }).optional(),
});
export type Retry = z.output<typeof retrySchema>;

export const specSchema = z.strictObject({
  project: z.string(),
  source: sourceSchema,
  destination: destinationSchema,
  syncPolicy: z
    .strictObject({
      automated: z
        .strictObject({
          prune: z.boolean().default(false),
          selfHeal: z.boolean().default(false),
          allowEmpty: z.boolean().default(false),
          enabled: z.boolean().default(true),
        })
        .optional(),
      syncOptions: syncOptions.default([]),
      retry: retrySchema.optional(),
    })
    .default({ syncOptions: [] }),
  revisionHistoryLimit: z.int().optional(),
  info: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
});
export type ApplicationSpec = z.output<typeof specSchema>;

const resourceSchema = z.strictObject({ group: z.string().default(""), kind: z.string(), name: z.string(), namespace: z.string().optional() });

/** A single requested sync: `operation` of an Application. */
export const operationSchema = z.strictObject({
  sync: z.strictObject({
    revision: z.string().optional(),
    prune: z.boolean().default(false),
    syncOptions: syncOptions.default([]),
    resources: z.array(resourceSchema).optional(),
    source: sourceSchema.optional(),
    syncStrategy: z.strictObject({ hook: z.strictObject({}).optional(), apply: z.strictObject({}).optional() }).optional(),
    /** How many times in a row a sync was a self-heal. */
    autoHealAttemptsCount: z.int().optional(),
  }),
  initiatedBy: z.strictObject({ username: z.string().optional(), automated: z.boolean().optional() }).default({}),
  retry: retrySchema.default({ limit: 0 }),
  info: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
});
export type Operation = z.output<typeof operationSchema>;

const kindSchema = z.strictObject({ group: z.string(), kind: z.string() });
const clusterKindSchema = z.strictObject({ ...kindSchema.shape, name: z.string().optional() });

export const projectSchema = z.strictObject({
  description: z.string().optional(),
  sourceRepos: z.array(z.string()).default([]),
  destinations: z.array(destinationSchema).default([]),
  clusterResourceWhitelist: z.array(clusterKindSchema).default([]),
  clusterResourceBlacklist: z.array(clusterKindSchema).default([]),
  /** Left out: every kind. */
  namespaceResourceWhitelist: z.array(kindSchema).optional(),
  namespaceResourceBlacklist: z.array(kindSchema).default([]),
});
export type ProjectSpec = z.output<typeof projectSchema>;

const elementSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export const setSchema = z.strictObject({
  goTemplate: z.literal(true),
  goTemplateOptions: z.array(z.literal("missingkey=error")).default([]),
  syncPolicy: z.strictObject({ preserveResourcesOnDeletion: z.boolean().default(false) }).default({ preserveResourcesOnDeletion: false }),
  generators: z.array(z.strictObject({ list: z.strictObject({ elements: z.array(elementSchema) }) })),
  template: z.strictObject({
    metadata: z.strictObject({
      name: z.string(),
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
      finalizers: z.array(z.string()).optional(),
    }),
    spec: z.record(z.string(), z.unknown()),
  }),
});
export type SetSpec = z.output<typeof setSchema>;

/** How one thing fared in a sync (`status.operationState.syncResult.resources`). */
export interface ResourceResult {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  syncPhase: SyncPhase;
  hookType?: SyncPhase;
  status?: "Synced" | "SyncFailed" | "Pruned" | "PruneSkipped";
  hookPhase?: "Running" | "Succeeded" | "Failed" | "Error";
  message?: string;
}
export type SyncPhase = "PreSync" | "Sync" | "PostSync";

export type OperationPhase = "Running" | "Succeeded" | "Failed" | "Error";

export interface OperationState {
  operation: Operation;
  phase: OperationPhase;
  message: string;
  startedAt: string;
  finishedAt?: string;
  retryCount?: number;
  syncResult?: { revision: string; source: Source; resources?: ResourceResult[] };
}

export interface Condition {
  type: "InvalidSpecError" | "ComparisonError" | "SyncError" | "SharedResourceWarning";
  message: string;
}

/** A field or value that the lab does not model: the object says so, and so does the log of unhandled calls. */
export class NotModelled extends Error {}

/** @throws NotModelled with what is not modelled, by its path */
export function parseStrictly<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const texts = parsed.error.issues.map((issue) => {
    const path = [where, ...issue.path.map(String)].join(".");
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => `${path}.${key}`).join(", ") : `${path}: ${issue.message}`;
  });
  throw new NotModelled(`not modelled by the lab: ${texts.join("; ")}`);
}
