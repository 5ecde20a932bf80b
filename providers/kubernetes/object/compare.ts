/** What a change of an object's inputs means. */
import { diffValues } from "../../sdk/diff";
import type { DiffCall, DiffResult } from "../../sdk/resource";
import { isValues, type JsonObject, type Value, type Values, withoutNullValues } from "../../sdk/values";
import type { ClusterTarget } from "../settings";
import { isNamespaced, type ObjectType, refOfId, withCanonicalNamespace } from "./identity";
import { isOwnKind } from "./json";
import { refuseToReplace } from "./kept";
import { normalised, pruned } from "./live-inputs";
import { isAutonamed, nameOf } from "./names";
import { liveOf } from "./outputs";
import { keepIgnored } from "./property-path";
import { isQuantityAt, sameQuantity } from "./quantity";
import { changesInPlace, replacingPaths } from "./replacement";
import { lookOnce } from "./wait";

/** Maps from names to values, which the API leaves out when they are empty. `{}` in place of a structure means something (`emptyDir`). */
const PLAIN_MAPS = new Set([
  ...["labels", "annotations", "matchLabels", "nodeSelector", "data", "binaryData", "stringData"],
  ...["limits", "requests", "parameters", "hard", "capacity", "options", "volumeAttributes", "overhead"],
]);

const lastStep = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

/** Whether a list or map is empty: the API keeps no such ones in its own kinds. */
const isEmpty = (path: string, value: Value | undefined): boolean =>
  value === undefined || (Array.isArray(value) ? value.length === 0 : isValues(value) && Object.keys(value).length === 0 && PLAIN_MAPS.has(lastStep(path)));

/** The former values for a diff: the live object of the state in the shape of the inputs, so that what a refresh has found shows. */
function before({ apiVersion, kind }: ObjectType, oldInputs: Values, oldOutputs: Values): Values {
  const kept = oldOutputs["__inputs"];
  // A null means that the program gave no value: the value that the API has is the API's own.
  const inputs = normalised(withoutNullValues(isValues(kept) ? kept : oldInputs), apiVersion, kind);
  const live = liveOf(oldOutputs);
  return live === undefined ? inputs : pruned(live, inputs);
}

/** Whether a job with the annotation `pulumi.com/replaceUnready` must be replaced. */
async function replacesUnready({ kind, apiVersion }: ObjectType, news: Values, { provider, id, signal, log }: DiffCall<ClusterTarget>): Promise<boolean> {
  const metadata = isValues(news["metadata"]) ? news["metadata"] : {};
  const annotations = isValues(metadata["annotations"]) ? metadata["annotations"] : {};
  if (annotations["pulumi.com/replaceUnready"] !== "true") return false;
  if (kind !== "Job") {
    log("warning", "pulumi.com/replaceUnready is for Jobs only");
    return false;
  }
  const live = await provider.client.get(refOfId(id, apiVersion, kind), signal);
  return live !== undefined && (await lookOnce(live, { client: provider.client, inputs: {} as JsonObject, signal })).state !== "ready";
}

export async function diffObject(type: ObjectType, call: DiffCall<ClusterTarget>): Promise<DiffResult> {
  const { apiVersion, kind } = type;
  const { provider, oldInputs, oldOutputs, ignoreChanges, signal } = call;
  const namespaced = await isNamespaced(provider.client, apiVersion, kind, signal);
  const given = normalised(withoutNullValues(call.news), apiVersion, kind);
  const olds = withCanonicalNamespace(before(type, oldInputs, oldOutputs), namespaced);
  const news = keepIgnored(olds, withCanonicalNamespace(given, namespaced), ignoreChanges);
  const own = isOwnKind(apiVersion);
  const result = diffValues(olds, news, {
    replaceOn: replacingPaths(apiVersion, kind, olds, news, provider.settings),
    replaces: (path) => !changesInPlace(apiVersion, kind, path),
    equal: (path, a, b) => own && isQuantityAt(path) && sameQuantity(a, b),
    unchanged: (path, a, b) => own && isEmpty(path, a) && isEmpty(path, b),
  });
  const replaced = (await replacesUnready(type, news, call))
    ? { ...result, changed: true, replaces: [...result.replaces, "metadata"], diffs: [...new Set([...result.diffs, "metadata"])] }
    : result;
  // If the name stays the same, the old object must be deleted before the new one is created.
  const sameName = nameOf(news) === nameOf(olds) && !isAutonamed(news) && namespaceOf(news) === namespaceOf(olds);
  if (sameName) await refuseToReplace(type, { id: call.id, olds, news, replaces: replaced.replaces }, provider.client, signal);
  return { ...replaced, deleteBeforeReplace: replaced.replaces.length > 0 && sameName };
}

const namespaceOf = (inputs: Values): Value | undefined => (isValues(inputs["metadata"]) ? inputs["metadata"]["namespace"] : undefined);
