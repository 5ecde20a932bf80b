/** Hooks of a chart: objects that run at a moment of a release's life, and are no part of the release. */
import { HomelabError } from "../../../common/errors";
import type { JsonObject } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { untilGone, untilReady } from "../object/wait";
import { type Manifest, manifestsIn, rank, recorded, refOfManifest } from "./manifest";
import type { HelmRecord } from "./record";

/** Moments at which hooks run here; those of tests and rollbacks do not. */
export type HookEvent = "pre-install" | "post-install" | "pre-upgrade" | "post-upgrade" | "pre-delete" | "post-delete";

/** A hook in the form of Helm's records. */
export type RecordedHook = NonNullable<HelmRecord["hooks"]>[number];

/** The deletion policy of a hook for which the chart names none. */
const DEFAULT_POLICY = "before-hook-creation";

function annotationsOf({ metadata }: Manifest): Record<string, unknown> {
  const { annotations } = metadata;
  return typeof annotations === "object" && annotations !== null ? (annotations as Record<string, unknown>) : {};
}

const listIn = (value: unknown): string[] =>
  (typeof value === "string" ? value : "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

const isHook = (object: Manifest): boolean => annotationsOf(object)["helm.sh/hook"] !== undefined;

/** The objects of a chart, and its hooks in the form of Helm's records. */
export function withoutHooks(manifests: readonly Manifest[]): { objects: Manifest[]; hooks: RecordedHook[] } {
  const hooks = manifests.filter(isHook).map((object): RecordedHook => {
    const annotations = annotationsOf(object);
    const policies = listIn(annotations["helm.sh/hook-delete-policy"]);
    return {
      name: object.metadata.name,
      kind: object.kind,
      path: "",
      manifest: recorded(object),
      events: listIn(annotations["helm.sh/hook"]),
      weight: Number.parseInt(String(annotations["helm.sh/hook-weight"] ?? "0"), 10) || 0,
      delete_policies: policies.length > 0 ? policies : [DEFAULT_POLICY],
    };
  });
  return { objects: manifests.filter((object) => !isHook(object)), hooks };
}

export interface HookRun {
  client: KubernetesClient;
  release: string;
  namespace: string;
  /** How long one hook may take. */
  seconds: number;
  signal: AbortSignal;
}

/** A hook's pod is awaited until it has succeeded; any other object as usual. */
const awaited = (kind: string): JsonObject =>
  kind === "Pod" ? { metadata: { annotations: { "pulumi.com/waitFor": "jsonpath={.status.phase}=Succeeded" } } } : {};

async function remove(object: Manifest, { client, namespace, seconds, signal }: HookRun): Promise<void> {
  const ref = refOfManifest(object, namespace);
  if (await client.delete(ref, "Background", signal)) await untilGone(ref, { client, seconds, signal });
}

async function runOne(event: HookEvent, hook: RecordedHook, object: Manifest, run: HookRun): Promise<void> {
  const { client, release, namespace, seconds, signal } = run;
  if (hook.delete_policies?.includes("before-hook-creation") === true) await remove(object, run);
  const ref = refOfManifest(object, namespace);
  const live = await client.apply(ref, object as unknown as JsonObject, "helm", signal, { force: true });
  const { problem } = await untilReady(ref, live, { client, inputs: awaited(object.kind), seconds, signal });
  if (problem === undefined) return;
  if (hook.delete_policies?.includes("hook-failed") === true) await remove(object, run);
  throw new HomelabError("E_HELM", `release ${release}: ${event} hook ${object.kind} ${object.metadata.name}: ${problem}`, { subject: release });
}

/**
 * Runs the hooks of one moment, the lightest first, each to its end.
 * @throws HomelabError E_HELM with the first that fails
 */
export async function runHooks(event: HookEvent, hooks: readonly RecordedHook[], run: HookRun): Promise<void> {
  const due = hooks
    .filter(({ events }) => events?.includes(event) === true)
    .sort((a, b) => (a.weight ?? 0) - (b.weight ?? 0) || rank(a.kind) - rank(b.kind) || (a.name < b.name ? -1 : 1));
  const objects = due.flatMap((hook) => manifestsIn(hook.manifest).map((object) => ({ hook, object })));
  for (const { hook, object } of objects) await runOne(event, hook, object, run);
  for (const { hook, object } of objects) if (hook.delete_policies?.includes("hook-succeeded") === true) await remove(object, run);
}
