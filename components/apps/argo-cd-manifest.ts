/**
 * What Argo CD is told beside a manifest: when it is made, and what of it is work to be done once. Pure; loads no Pulumi SDK.
 *
 * A hook before the sync has only what was there before it: its Job names no ConfigMap of the application ({@link app-manifests}).
 */

import type { Manifest, Stage, StagedManifest } from "./app-spec";

const PREFIX = "argocd.argoproj.io";

const ANNOTATIONS: Readonly<Record<Stage, Readonly<Record<string, string>>>> = {
  config: { [`${PREFIX}/sync-wave`]: "-1" },
  before: { [`${PREFIX}/hook`]: "PreSync", [`${PREFIX}/hook-delete-policy`]: "BeforeHookCreation" },
  workload: { [`${PREFIX}/sync-wave`]: "0" },
  route: { [`${PREFIX}/sync-wave`]: "1" },
  after: { [`${PREFIX}/hook`]: "PostSync", [`${PREFIX}/hook-delete-policy`]: "BeforeHookCreation" },
};

/** Lists of a pod that say nothing where they are empty: the API server keeps none of them, and Argo CD would see a difference for ever. */
const LISTS = new Set(["env", "volumes", "volumeMounts"]);

function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      LISTS.has(key) && Array.isArray(inner) && inner.length === 0 ? [] : [[key, withoutEmptyLists(inner)] as const],
    ),
  );
}

export function argoCdManifest({ stage, manifest }: StagedManifest): Manifest {
  const { metadata, ...rest } = withoutEmptyLists(manifest) as Manifest;
  const { apiVersion, kind, ...parts } = rest;
  return { apiVersion, kind, metadata: { ...metadata, annotations: { ...metadata.annotations, ...ANNOTATIONS[stage] } }, ...parts };
}

/** Its annotations without what is said to Argo CD: what the program registers has none of it. */
export const ownAnnotations = (annotations: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(`${PREFIX}/`)));
