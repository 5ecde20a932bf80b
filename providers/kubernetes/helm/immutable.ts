/**
 * Changes of immutable fields, which Kubernetes refuses. Helm would fail in the middle of an upgrade, when half of the release is
 * changed already; here they are found before it. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import { isValues, type Value, type Values } from "../../sdk/values";
import { FIXED_FIELDS } from "../object/fixed-fields";
import { amountOf } from "../object/quantity";
import { type Manifest, refOfManifest } from "./manifest";

/** Fields of a StatefulSet's spec that may change (ValidateStatefulSetUpdate of Kubernetes 1.36). */
const SET_MAY_CHANGE = new Set([
  ...["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"],
]);
/** Immutable fields of other kinds. */
const FIXED: Readonly<Record<string, readonly string[]>> = FIXED_FIELDS;
/** Objects whose data, or whose volumes' data, are lost with them. */
const HOLDS_DATA = new Set(["StatefulSet", "PersistentVolumeClaim"]);

const at = (object: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (isValues(node as Value) ? (node as Values)[key] : undefined), object);
const storageOf = (object: unknown): unknown => at(object, "spec.resources.requests.storage");

export interface RefusedChange {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly apiVersion: string;
  /** Fields that would change, in words. */
  readonly fields: readonly string[];
  /** Its data, or those of its volumes, would be lost with it. */
  readonly holdsData: boolean;
}

/** Claim templates of a StatefulSet that would change, each with its changed fields. */
function claimChanges(before: unknown, after: unknown): string[] {
  const list = (set: unknown): Map<string, unknown> =>
    new Map(((at(set, "spec.volumeClaimTemplates") as unknown[] | undefined) ?? []).map((claim) => [String(at(claim, "metadata.name")), claim]));
  const [old, next] = [list(before), list(after)];
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((name) => {
    const [one, other] = [old.get(name), next.get(name)];
    if (isDeepStrictEqual(one, other)) return [];
    if (one === undefined || other === undefined) return [`the volume ${name} ${one === undefined ? "is new" : "goes"}`];
    const told = [
      ["size", storageOf(one), storageOf(other)],
      ["class", at(one, "spec.storageClassName"), at(other, "spec.storageClassName")],
    ].filter(([, a, b]) => !isDeepStrictEqual(a, b));
    const words = told.map(([what, a, b]) => `${String(what)} of the volume ${name}: ${String(a ?? "none")} → ${String(b ?? "none")}`);
    return words.length > 0 ? words : [`the volume ${name}`];
  });
}

/** The immutable fields of one object that would change, in words or as paths. */
export function fixedChanges(before: Manifest, after: Manifest): string[] {
  if (after.kind === "StatefulSet") {
    const [old, next] = [at(before, "spec"), at(after, "spec")];
    const keys = [...new Set([...Object.keys(Object(old)), ...Object.keys(Object(next))])];
    return keys
      .filter((key) => !SET_MAY_CHANGE.has(key) && !isDeepStrictEqual(at(old, key), at(next, key)))
      .flatMap((key) => (key === "volumeClaimTemplates" ? claimChanges(before, after) : [`spec.${key}`]));
  }
  const changed = (FIXED[after.kind] ?? []).filter((path) => !isDeepStrictEqual(at(before, path), at(after, path)));
  const [had, wants] = [storageOf(before), storageOf(after)];
  const [size, less] = [amountOf(had), amountOf(wants)];
  const smaller = after.kind === "PersistentVolumeClaim" && size !== undefined && less !== undefined && less < size;
  return [...changed, ...(smaller ? [`size: ${String(had)} → ${String(wants)} (a volume does not become smaller)`] : [])];
}

/** @param namespace of objects that name none */
export function refusedChanges(before: readonly Manifest[], after: readonly Manifest[], namespace: string): RefusedChange[] {
  const key = ({ apiVersion, kind, metadata }: Manifest): string => `${apiVersion}/${kind}/${metadata.namespace ?? namespace}/${metadata.name}`;
  const known = new Map(before.map((object) => [key(object), object]));
  return after.flatMap((object) => {
    const former = known.get(key(object));
    const fields = former === undefined ? [] : fixedChanges(former, object);
    if (fields.length === 0) return [];
    const { apiVersion, kind, namespace: home, name } = refOfManifest(object, namespace);
    return [{ apiVersion, kind, namespace: home, name, fields, holdsData: HOLDS_DATA.has(kind) }];
  });
}

/** What to do about a refused change, with the commands. */
export function replacingStep({ kind, namespace, name, holdsData }: RefusedChange): string {
  const what = `${kind.toLowerCase()} ${name}`;
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  if (kind === "StatefulSet")
    return `save its data, then \`kubectl${where} delete ${what} --cascade=orphan\` (its pods and volumes stay) and run the stack again: the new set takes the pods over. Volumes that are there keep their size and class: a larger size is set on each claim as well (\`kubectl${where} patch pvc\`, where its class allows that), another class needs the pod and its claim deleted, and the data restored`;
  if (kind === "PersistentVolume")
    return `its files stay where they are: stop the pods that use it, delete its claim and then \`kubectl delete ${what}\`, and run the stack again`;
  if (holdsData) return `save its data, then \`kubectl${where} delete ${what}\`, run the stack again, and restore them`;
  return `\`kubectl${where} delete ${what} --cascade=orphan\`, and run the stack again`;
}
