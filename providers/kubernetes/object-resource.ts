/** Any Kubernetes object as a resource (`kubernetes:<group>/<version>:<Kind>`), by server-side apply as the official provider does. */
import { randomBytes } from "node:crypto";
import { HomelabError } from "../../common/errors";
import { diffValues } from "../sdk/diff";
import { type CheckCall, PartialFailure, type ResourceDefinition } from "../sdk/resource";
import { containsUnknown, isValues, type Json, type JsonObject, makeSecret, plainValues, type Value, type Values } from "../sdk/values";
import { ApiError, type KubernetesClient, type ObjectRef } from "./client";
import { DEFAULT_TIMEOUT_S, untilGone, untilReady } from "./ready";

const AUTONAMED = "pulumi.com/autonamed";

const map = (value: Json | undefined): JsonObject => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
const text = (value: Json | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Fields whose change makes the object anew, beside its name, namespace and kind. */
const REPLACE: Record<string, string[]> = {
  "apps/v1/Deployment": ["spec.selector"],
  "apps/v1/DaemonSet": ["spec.selector"],
  "apps/v1/ReplicaSet": ["spec.selector"],
  "apps/v1/StatefulSet": ["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates", "spec.revisionHistoryLimit"],
  "batch/v1/Job": ["spec.selector", "spec.template", "spec.completions"],
  "v1/Service": ["spec.clusterIP"],
  "v1/Secret": ["type", "data", "stringData"],
  "v1/ConfigMap": ["data", "binaryData"],
  "v1/PersistentVolumeClaim": ["spec.accessModes", "spec.storageClassName", "spec.volumeName", "spec.selector"],
  "v1/Pod": ["spec"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};
/** Replaced by new ones only where they are marked immutable: otherwise they are changed in place. */
const REPLACE_IF_IMMUTABLE = new Set(["v1/Secret", "v1/ConfigMap"]);

function replaceRules(apiVersion: string, kind: string, inputs: Values): string[] {
  const key = `${apiVersion}/${kind}`;
  const always = ["metadata.name", "metadata.namespace", "apiVersion", "kind"];
  const rules = REPLACE[key] ?? [];
  if (!REPLACE_IF_IMMUTABLE.has(key) || inputs["immutable"] === true) return [...always, ...rules];
  return key === "v1/Secret" ? [...always, "type"] : always;
}

export function refOf(object: JsonObject, client: KubernetesClient): ObjectRef {
  const metadata = map(object["metadata"]);
  return {
    apiVersion: String(object["apiVersion"]),
    kind: String(object["kind"]),
    namespace: text(metadata["namespace"]) ?? client.defaultNamespace,
    name: String(metadata["name"]),
  };
}

/** `namespace/name`, or the name of an object outside of namespaces. */
const idOf = (object: JsonObject): string => {
  const { name, namespace } = map(object["metadata"]);
  return text(namespace) === undefined ? String(name) : `${String(namespace)}/${String(name)}`;
};

function refOfId(id: string, apiVersion: string, kind: string): ObjectRef {
  const slash = id.indexOf("/");
  return { apiVersion, kind, namespace: slash < 0 ? undefined : id.slice(0, slash), name: id.slice(slash + 1) };
}

/** What is stored: the live object, and what the official provider keeps beside it. */
function outputsOf(live: JsonObject, inputs: JsonObject, fieldManager: string): Values {
  const secretKind = live["kind"] === "Secret" && live["apiVersion"] === "v1";
  const outputs: Values = {
    ...live,
    __fieldManager: fieldManager,
    __initialApiVersion: String(inputs["apiVersion"] ?? live["apiVersion"]),
    __inputs: secretKind ? makeSecret(inputs) : inputs,
  };
  if (secretKind) for (const key of ["data", "stringData"]) if (outputs[key] !== undefined) outputs[key] = makeSecret(outputs[key] ?? null);
  return outputs;
}

function annotation(object: JsonObject, name: string): string | undefined {
  return text(map(map(object["metadata"])["annotations"])[name]);
}

function checkNames({ news, olds, name, randomSeed }: CheckCall<KubernetesClient>): Values {
  const metadata = isValues(news["metadata"]) ? news["metadata"] : {};
  if (metadata["name"] !== undefined || metadata["generateName"] !== undefined) return news;
  const old = isValues(olds?.["metadata"]) ? olds["metadata"] : {};
  const oldAnnotations = isValues(old["annotations"]) ? old["annotations"] : {};
  const kept = oldAnnotations[AUTONAMED] === "true" ? old["name"] : undefined;
  const annotations = isValues(metadata["annotations"]) ? metadata["annotations"] : {};
  const seed = randomSeed.length > 0 ? Buffer.from(randomSeed) : randomBytes(4);
  return {
    ...news,
    metadata: { ...metadata, name: kept ?? `${name}-${seed.toString("hex").slice(0, 8)}`, annotations: { ...annotations, [AUTONAMED]: "true" } },
  };
}

/** A Secret as the official provider keeps its inputs, and as the API does: `stringData` is written into `data`. */
function inData(inputs: Values): Values {
  const { stringData, ...rest } = inputs;
  const data = rest["data"] ?? {};
  if (!isValues(stringData) || Object.keys(stringData).length === 0 || !isValues(data) || containsUnknown(inputs)) return inputs;
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]);
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } };
}

interface Target {
  client: KubernetesClient;
  signal: AbortSignal;
}

/** @param timeout seconds; 0 = the default */
async function settle(
  { client, signal }: Target,
  ref: ObjectRef,
  live: JsonObject,
  inputs: JsonObject,
  fieldManager: string,
): Promise<{ id: string; outputs: Values }> {
  if (annotation(inputs, "pulumi.com/skipAwait") === "true") return { id: idOf(live), outputs: outputsOf(live, inputs, fieldManager) };
  const seconds = Number(annotation(inputs, "pulumi.com/timeoutSeconds") ?? DEFAULT_TIMEOUT_S);
  const { object, missing } = await untilReady(client, ref, live, seconds, signal);
  const outputs = outputsOf(object, inputs, fieldManager);
  if (missing !== undefined)
    throw new PartialFailure(idOf(object), outputs, [`${ref.kind} ${idOf(object)} was applied, but is not ready after ${seconds} s: ${missing}`]);
  return { id: idOf(object), outputs };
}

/** Lists and maps without content: the official provider leaves them out of the inputs of the API's own kinds, as the API does. */
const isEmpty = (value: Value | undefined): boolean =>
  value === undefined || (Array.isArray(value) ? value.length === 0 : isValues(value) && Object.keys(value).length === 0);

/** What a custom resource's definition makes of "empty" is its own affair. */
const ownKind = (apiVersion: string): boolean => !apiVersion.includes(".") || /\.k8s\.io\//.test(apiVersion);

/** The definition for one kind. */
export function objectResource(token: string): ResourceDefinition<KubernetesClient> {
  const [, group = "", kind = ""] = token.split(":");
  const apiVersion = group.startsWith("core/") ? group.slice("core/".length) : group;
  const full = (inputs: JsonObject): JsonObject => ({ ...inputs, apiVersion: text(inputs["apiVersion"]) ?? apiVersion, kind: text(inputs["kind"]) ?? kind });
  const secretKind = apiVersion === "v1" && kind === "Secret";
  return {
    token,
    ...(secretKind ? { secretInputs: ["data", "stringData"], secretOutputs: ["data", "stringData"] } : {}),
    check: async (call) => {
      if (kind.endsWith("List") || kind.endsWith("Patch"))
        return { inputs: call.news, failures: [{ property: "", reason: `the embedded provider has no ${kind}; the official plugin has` }] };
      const inputs = { ...checkNames(call), apiVersion: call.news["apiVersion"] ?? apiVersion, kind: call.news["kind"] ?? kind };
      return { inputs: secretKind ? inData(inputs) : inputs };
    },
    diff: async ({ oldInputs, news, ignoreChanges }) => {
      const plain = plainValues(news);
      const olds = secretKind ? inData(oldInputs) : oldInputs;
      const result = diffValues(olds, news, {
        replaceOn: replaceRules(apiVersion, kind, plain),
        ignore: [...ignoreChanges],
        unchanged: (_path, before, after) => ownKind(apiVersion) && isEmpty(before) && isEmpty(after),
      });
      // An object with a name of its own choosing cannot stand beside its successor.
      const metadata = isValues(plain["metadata"]) ? plain["metadata"] : {};
      const annotations = isValues(metadata["annotations"]) ? metadata["annotations"] : {};
      return { ...result, deleteBeforeReplace: annotations[AUTONAMED] !== "true" };
    },
    create: async ({ provider: client, inputs, signal }) => {
      const object = full(inputs);
      const ref = refOf(object, client);
      const fieldManager = `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
      const live = await client.apply(ref, object, fieldManager, signal);
      return settle({ client, signal }, ref, live, object, fieldManager);
    },
    read: async ({ provider: client, id, inputs, outputs, signal }) => {
      const ref = refOfId(id, text(inputs["apiVersion"]) ?? apiVersion, text(inputs["kind"]) ?? kind);
      let live: JsonObject | undefined;
      try {
        live = await client.get(ref, signal);
      } catch (thrown) {
        // Without its definition the object cannot be there either.
        if (thrown instanceof HomelabError && thrown.code === "E_NO_KIND") return undefined;
        throw thrown;
      }
      if (live === undefined) return undefined;
      const imported = Object.keys(inputs).length === 0;
      const known = imported ? importedInputs(live) : inputs;
      return { id: idOf(live), outputs: outputsOf(live, known, text(outputs["__fieldManager"]) ?? "pulumi-kubernetes"), inputs: known };
    },
    update: async ({ provider: client, inputs, oldOutputs, signal }) => {
      const object = full(inputs);
      const ref = refOf(object, client);
      const fieldManager = text(oldOutputs["__fieldManager"]) ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
      const live = await client.apply(ref, object, fieldManager, signal, annotation(object, "pulumi.com/patchForce") === "true");
      return (await settle({ client, signal }, ref, live, object, fieldManager)).outputs;
    },
    delete: async ({ provider: client, id, inputs, signal }) => {
      const ref = refOfId(id, text(inputs["apiVersion"]) ?? apiVersion, text(inputs["kind"]) ?? kind);
      try {
        if (!(await client.delete(ref, annotation(inputs, "pulumi.com/deletionPropagationPolicy") ?? "Background", signal))) return;
      } catch (thrown) {
        if (thrown instanceof HomelabError && thrown.code === "E_NO_KIND") return;
        throw thrown;
      }
      if (!(await untilGone(client, ref, DEFAULT_TIMEOUT_S, signal)))
        throw new ApiError(0, "Timeout", "it is being deleted, but is still there: something holds one of its finalizers", `${ref.kind} ${id}`);
    },
  };
}

/** What a program would write to get this object: without what the server adds. */
function importedInputs(live: JsonObject): JsonObject {
  const { status: _status, metadata, ...rest } = live;
  const { managedFields: _m, uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, ...kept } = map(metadata);
  return { ...rest, metadata: kept };
}
