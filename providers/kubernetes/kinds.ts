/**
 * The kinds of the Kubernetes API that GetSchema returns, with their inputs, for the code that `pulumi import` makes. Custom kinds
 * and versions before the first stable one are not among them: these can be imported too, and their code is written by hand.
 */
import type { ResourceSpec } from "../sdk/package-schema";

/** By group and version: kinds with `spec`, beside what every kind has. */
const WITH_SPEC: Readonly<Record<string, string>> = {
  "admissionregistration.k8s.io/v1": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding ValidatingAdmissionPolicy",
  "apiregistration.k8s.io/v1": "APIService",
  "batch/v1": "Job",
  "coordination.k8s.io/v1": "Lease",
  "core/v1": "LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod ReplicationController ResourceQuota Service",
  "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy ServiceCIDR",
  "policy/v1": "PodDisruptionBudget",
  "storagemigration.k8s.io/v1": "StorageVersionMigration",
};

/** Kinds with other inputs; `!` says that it must be given. */
const WITH_OTHERS: Readonly<Record<string, string>> = {
  "admissionregistration.k8s.io/v1:MutatingWebhookConfiguration": "webhooks",
  "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": "spec!",
  "admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration": "webhooks",
  "apiextensions.k8s.io/v1:CustomResourceDefinition": "spec!",
  "apps/v1:ControllerRevision": "data! revision",
  "apps/v1:DaemonSet": "spec!",
  "apps/v1:Deployment": "spec!",
  "apps/v1:ReplicaSet": "spec!",
  "apps/v1:StatefulSet": "spec!",
  "autoscaling/v1:HorizontalPodAutoscaler": "spec!",
  "autoscaling/v2:HorizontalPodAutoscaler": "spec!",
  "batch/v1:CronJob": "spec!",
  "certificates.k8s.io/v1:CertificateSigningRequest": "spec!",
  "certificates.k8s.io/v1:ClusterTrustBundle": "spec!",
  "certificates.k8s.io/v1:PodCertificateRequest": "spec!",
  "core/v1:Binding": "target!",
  "core/v1:ConfigMap": "binaryData data immutable",
  "core/v1:Endpoints": "subsets",
  "core/v1:Event":
    "action count eventTime firstTimestamp involvedObject! lastTimestamp message reason related reportingComponent reportingInstance series source type metadata!",
  "core/v1:PodTemplate": "template",
  "core/v1:Secret": "data immutable stringData type",
  "core/v1:ServiceAccount": "automountServiceAccountToken imagePullSecrets secrets",
  "discovery.k8s.io/v1:EndpointSlice": "addressType! endpoints ports",
  "events.k8s.io/v1:Event":
    "action deprecatedCount deprecatedFirstTimestamp deprecatedLastTimestamp deprecatedSource eventTime! note reason regarding related reportingController reportingInstance series type",
  "flowcontrol.apiserver.k8s.io/v1:FlowSchema": "spec!",
  "flowcontrol.apiserver.k8s.io/v1:PriorityLevelConfiguration": "spec!",
  "helm.sh/v3:Release":
    "allowNullValues atomic chart! cleanupOnFail compat createNamespace dependencyUpdate description devel disableCRDHooks disableOpenapiValidation disableWebhooks forceUpdate keyring lint manifest maxHistory name namespace postrender recreatePods renderSubchartNotes replace repositoryOpts resetValues resourceNames reuseValues skipAwait skipCrds takeOwnership timeout valueYamlFiles values verify version waitForJobs",
  "meta/v1:Status": "code details message reason",
  "networking.k8s.io/v1:IPAddress": "spec!",
  "node.k8s.io/v1:RuntimeClass": "handler! overhead scheduling",
  "rbac.authorization.k8s.io/v1:ClusterRole": "aggregationRule rules",
  "rbac.authorization.k8s.io/v1:ClusterRoleBinding": "roleRef! subjects",
  "rbac.authorization.k8s.io/v1:Role": "rules",
  "rbac.authorization.k8s.io/v1:RoleBinding": "roleRef! subjects",
  "resource.k8s.io/v1:DeviceClass": "spec!",
  "resource.k8s.io/v1:DeviceTaintRule": "spec!",
  "resource.k8s.io/v1:ResourceClaim": "spec!",
  "resource.k8s.io/v1:ResourceClaimTemplate": "spec!",
  "resource.k8s.io/v1:ResourceSlice": "spec!",
  "scheduling.k8s.io/v1:PriorityClass": "description globalDefault preemptionPolicy value!",
  "storage.k8s.io/v1:CSIDriver": "spec!",
  "storage.k8s.io/v1:CSINode": "spec!",
  "storage.k8s.io/v1:CSIStorageCapacity": "capacity maximumVolumeSize nodeTopology storageClassName!",
  "storage.k8s.io/v1:StorageClass": "allowVolumeExpansion allowedTopologies mountOptions parameters provisioner! reclaimPolicy volumeBindingMode",
  "storage.k8s.io/v1:VolumeAttachment": "spec!",
  "storage.k8s.io/v1:VolumeAttributesClass": "driverName! parameters",
};

const INPUTS = new Map([
  ...Object.entries(WITH_SPEC).flatMap(([group, kinds]) => kinds.split(" ").map((kind): [string, string[]] => [`kubernetes:${group}:${kind}`, ["spec"]])),
  ...Object.entries(WITH_OTHERS).map(([type, inputs]): [string, string[]] => [`kubernetes:${type}`, inputs === "" ? [] : inputs.split(" ")]),
]);

export const KIND_TOKENS: readonly string[] = [...INPUTS.keys()].sort();

const ANY = { $ref: "pulumi.json#/Any" };
const RELEASE = "kubernetes:helm.sh/v3:Release";

/** undefined for a kind whose inputs are not listed here. A structure is declared as any value, since only the API knows its fields. */
export function specOfKind(token: string): ResourceSpec | undefined {
  const own = INPUTS.get(token);
  if (own === undefined) return undefined;
  const inputs = token === RELEASE ? own : ["apiVersion", "kind", "metadata", ...own];
  const names = [...new Set(inputs.map((input) => input.replace("!", "")))];
  const inputProperties = Object.fromEntries(names.map((name) => [name, name === "apiVersion" || name === "kind" ? { type: "string" } : ANY]));
  const requiredInputs = own.filter((input) => input.endsWith("!")).map((input) => input.slice(0, -1));
  return { resource: { properties: inputProperties, inputProperties, requiredInputs }, types: {} };
}

/** Where the SDK keeps a group: `rbac.authorization.k8s.io/v1` is `rbac/v1`. */
const moduleOf = (group: string): string => group.replace(/^([a-z]+)[^/]*/, "$1");

/** How tokens become names of the SDK. */
export const KIND_MODULES = {
  meta: { moduleFormat: "(.*)" },
  language: {
    nodejs: {
      moduleToPackage: Object.fromEntries(
        KIND_TOKENS.map((token) => token.split(":")[1] ?? "")
          .filter((group) => moduleOf(group) !== group)
          .map((group) => [group, moduleOf(group)]),
      ),
    },
  },
};
