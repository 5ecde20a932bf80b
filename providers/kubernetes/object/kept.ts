/**
 * Objects that hold data. If an immutable field of one changes, the official provider replaces it under the same name: the data would be
 * lost, or, where the object is kept on deletion, the API would refuse the new one in the middle of a run. So the preview refuses the
 * change, and names the steps that replace the object.
 */
import { HomelabError } from "../../../common/errors";
import { containsUnknown, type Values } from "../../sdk/values";
import type { KubernetesClient } from "../client";
import { fixedChanges, replacingStep } from "../helm/immutable";
import type { Manifest } from "../helm/manifest";
import { type ObjectType, refOfId } from "./identity";
import { valueAt } from "./property-path";

const KEPT = new Set(["v1/PersistentVolumeClaim", "v1/PersistentVolume"]);

/** What Kubernetes refuses to change of such an object, in words. A value that is unknown in a preview does not count as a change. */
function refused({ kind }: ObjectType, olds: Values, news: Values, replaces: readonly string[]): string[] {
  const fields = kind === "PersistentVolume" ? replaces : fixedChanges(olds as unknown as Manifest, { ...news, kind } as unknown as Manifest);
  return fields.filter((field) => !containsUnknown(valueAt(news, field.split(".")) ?? null));
}

/** @throws HomelabError E_IMMUTABLE; not for an object that no longer exists in the cluster, since that is created again */
export async function refuseToReplace(
  type: ObjectType,
  { id, olds, news, replaces }: { readonly id: string; readonly olds: Values; readonly news: Values; readonly replaces: readonly string[] },
  client: KubernetesClient,
  signal: AbortSignal,
): Promise<void> {
  const { apiVersion, kind } = type;
  if (!KEPT.has(`${apiVersion}/${kind}`)) return;
  const fields = refused(type, olds, news, replaces);
  if (fields.length === 0) return;
  const ref = refOfId(id, apiVersion, kind);
  if ((await client.get(ref, signal)) === undefined) return;
  throw new HomelabError("E_IMMUTABLE", `${kind} ${id}: Kubernetes refuses to change immutable fields: ${fields.join("; ")}`, {
    subject: id,
    hint: replacingStep({ ...ref, fields, holdsData: true }),
  });
}
