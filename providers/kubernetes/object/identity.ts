/** Which object of a cluster a resource is. */
import type { CallContext } from "../../sdk/resource";
import { isValues, type JsonObject, type Values } from "../../sdk/values";
import type { KubernetesClient, ObjectRef } from "../client";
import { isOwnKind, map, text } from "./json";

export interface ObjectType {
  apiVersion: string;
  kind: string;
}

/** `kubernetes:<group>/<version>:<Kind>` → API version as the API writes it, and kind. */
export function kindOfToken(token: string): ObjectType {
  const [, group = "", kind = ""] = token.split(":");
  return { apiVersion: group.startsWith("core/") ? group.slice("core/".length) : group, kind };
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

/** `namespace/name`, or the name of a cluster-scoped object. */
export function idOf(object: JsonObject): string {
  const { name, namespace } = map(object["metadata"]);
  return text(namespace) === undefined ? String(name) : `${String(namespace)}/${String(name)}`;
}

export function refOfId(id: string, apiVersion: string, kind: string): ObjectRef {
  const slash = id.indexOf("/");
  return { apiVersion, kind, namespace: slash < 0 ? undefined : id.slice(0, slash), name: id.slice(slash + 1) };
}

/** The API's own cluster-scoped kinds, so that a check needs no cluster. */
const CLUSTER_KINDS = new Set([
  ...["Namespace", "Node", "PersistentVolume", "ComponentStatus"],
  ...["ClusterRole", "ClusterRoleBinding", "StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass"],
  ...["CustomResourceDefinition", "APIService", "PriorityClass", "IngressClass", "RuntimeClass", "CertificateSigningRequest", "ClusterTrustBundle"],
  ...["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
  ...["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "FlowSchema", "PriorityLevelConfiguration", "IPAddress", "ServiceCIDR"],
  ...["DeviceClass", "ResourceSlice", "SelfSubjectReview", "TokenReview", "SubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview"],
]);

/** Whether the kind is namespaced. A custom kind that the cluster does not list is taken for a namespaced one. */
export async function isNamespaced(client: KubernetesClient, apiVersion: string, kind: string, signal: CallContext["signal"]): Promise<boolean> {
  if (isOwnKind(apiVersion)) return !CLUSTER_KINDS.has(kind);
  try {
    return await client.isNamespaced(apiVersion, kind, signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    // The kind is not defined yet, or the cluster is not up yet: the creation of the object will fail if that stays so.
    return true;
  }
}

/** The inputs in the namespace that they name, or in the provider's. */
export function inNamespace(inputs: Values, namespace: string): Values {
  const metadata = inputs["metadata"] ?? {};
  if (!isValues(metadata) || (metadata["namespace"] !== undefined && metadata["namespace"] !== "")) return inputs;
  return { ...inputs, metadata: { ...metadata, namespace } };
}

/** The inputs for a comparison: a namespace that is not given is `default`, and a cluster-scoped kind has none. */
export function withCanonicalNamespace(inputs: Values, namespaced: boolean): Values {
  if (namespaced) return inNamespace(inputs, "default");
  const { metadata } = inputs;
  if (!isValues(metadata)) return inputs;
  const { namespace: _namespace, ...rest } = metadata;
  return { ...inputs, metadata: rest };
}
