/**
 * The annotations that tell Argo CD in which order to apply manifests, and which Jobs are hooks. Pure; loads no Pulumi SDK.
 *
 * A PreSync hook runs before anything of the sync exists. So its Job names no ConfigMap of the application (app-manifests.ts).
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

/** Lists of a pod that the API server drops where they are empty. Argo CD would report them as a difference for ever. */
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

/** Annotations without those for Argo CD, which the program does not register. */
export const ownAnnotations = (annotations: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(`${PREFIX}/`)));
