/** For each type: its inputs, and a change that somebody makes to the object outside Pulumi. */
import type { Values } from "../../../providers/sdk/values";

export interface DriftCase {
  /** Type token without `kubernetes:`. */
  type: string;
  /** The kind's path below its group and namespace. */
  path: string;
  /** Without `metadata.name`. */
  inputs: Values;
  /** The change, as a merge patch. */
  edit: Record<string, unknown>;
  /** The property that a preview shows after the change. */
  shows: string;
}

const core = (plural: string, namespaced = true): string => `/api/v1${namespaced ? "/namespaces/default" : ""}/${plural}`;
const group = (version: string, plural: string, namespaced = true): string => `/apis/${version}${namespaced ? "/namespaces/default" : ""}/${plural}`;

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27", env: [{ name: "LEVEL", value: "info" }] }] } };
const jobTemplate = { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1.36" }] } } } };
const edited = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:DRIFT", env: [{ name: "LEVEL", value: "info" }] }] } };
const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
const otherRules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "delete"] }];
const subjects = [{ kind: "ServiceAccount", name: "default", namespace: "default" }];
const otherSubjects = [{ kind: "ServiceAccount", name: "intruder", namespace: "default" }];
const role = (kind: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name: "view" });
const webhooks = (failurePolicy: string) => [
  {
    ...{ name: "check.example.com", admissionReviewVersions: ["v1"], sideEffects: "None", failurePolicy },
    clientConfig: { url: "https://127.0.0.1:1/check" },
    rules: [{ apiGroups: ["example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nothings"] }],
  },
];
const image = "spec.template.spec.containers[0].image";
const annotated = { metadata: { labels: { team: "a" } } };
const relabel = { metadata: { labels: { team: "DRIFT" } } };

export const DRIFT_CASES: DriftCase[] = [
  { type: "core/v1:ConfigMap", path: core("configmaps"), inputs: { data: { level: "info" } }, edit: { data: { level: "DRIFT" } }, shows: "data.level" },
  { type: "core/v1:Secret", path: core("secrets"), inputs: { data: { key: "aW5mbw==" } }, edit: { data: { key: "RFJJRlQ=" } }, shows: "data.key" },
  {
    type: "core/v1:ServiceAccount",
    path: core("serviceaccounts"),
    inputs: { automountServiceAccountToken: false },
    edit: { automountServiceAccountToken: true },
    shows: "automountServiceAccountToken",
  },
  {
    type: "core/v1:Service",
    path: core("services"),
    inputs: { spec: { selector: labels, ports: [{ name: "http", port: 80 }] } },
    edit: { spec: { selector: { app: "DRIFT" } } },
    shows: "spec.selector.app",
  },
  { type: "core/v1:Namespace", path: core("namespaces", false), inputs: annotated, edit: relabel, shows: "metadata.labels.team" },
  {
    type: "core/v1:PersistentVolumeClaim",
    path: core("persistentvolumeclaims"),
    inputs: { ...annotated, spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } } },
    edit: relabel,
    shows: "metadata.labels.team",
  },
  {
    type: "core/v1:PersistentVolume",
    path: core("persistentvolumes", false),
    inputs: { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], persistentVolumeReclaimPolicy: "Retain", hostPath: { path: "/srv" } } },
    edit: { spec: { persistentVolumeReclaimPolicy: "Delete" } },
    shows: "spec.persistentVolumeReclaimPolicy",
  },
  {
    type: "core/v1:ResourceQuota",
    path: core("resourcequotas"),
    inputs: { spec: { hard: { "requests.cpu": "4000m" } } },
    edit: { spec: { hard: { "requests.cpu": "8" } } },
    shows: 'spec.hard["requests.cpu"]',
  },
  {
    type: "core/v1:LimitRange",
    path: core("limitranges"),
    inputs: { spec: { limits: [{ type: "Container", default: { memory: "512Mi" } }] } },
    edit: { spec: { limits: [{ type: "Container", default: { memory: "1Gi" } }] } },
    shows: "spec.limits[0].default.memory",
  },
  { type: "core/v1:Pod", path: core("pods"), inputs: { ...annotated, spec: template.spec }, edit: relabel, shows: "metadata.labels.team" },
  {
    type: "apps/v1:Deployment",
    path: group("apps/v1", "deployments"),
    inputs: { spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    edit: { spec: { template: edited } },
    shows: image,
  },
  {
    type: "apps/v1:StatefulSet",
    path: group("apps/v1", "statefulsets"),
    inputs: { spec: { serviceName: "web", replicas: 1, selector: { matchLabels: labels }, template } },
    edit: { spec: { replicas: 3 } },
    shows: "spec.replicas",
  },
  {
    type: "apps/v1:DaemonSet",
    path: group("apps/v1", "daemonsets"),
    inputs: { spec: { selector: { matchLabels: labels }, template } },
    edit: { spec: { template: edited } },
    shows: image,
  },
  {
    type: "apps/v1:ReplicaSet",
    path: group("apps/v1", "replicasets"),
    inputs: { spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    edit: { spec: { replicas: 2 } },
    shows: "spec.replicas",
  },
  {
    type: "batch/v1:Job",
    path: group("batch/v1", "jobs"),
    inputs: { spec: { backoffLimit: 2, ...jobTemplate.spec } },
    edit: { spec: { backoffLimit: 5 } },
    shows: "spec.backoffLimit",
  },
  {
    type: "batch/v1:CronJob",
    path: group("batch/v1", "cronjobs"),
    inputs: { spec: { schedule: "0 3 * * *", jobTemplate } },
    edit: { spec: { schedule: "0 4 * * *" } },
    shows: "spec.schedule",
  },
  {
    type: "networking.k8s.io/v1:Ingress",
    path: group("networking.k8s.io/v1", "ingresses"),
    inputs: {
      spec: {
        ingressClassName: "traefik",
        rules: [{ host: "a.example", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }] } }],
      },
    },
    edit: { spec: { ingressClassName: "drift" } },
    shows: "spec.ingressClassName",
  },
  {
    type: "networking.k8s.io/v1:IngressClass",
    path: group("networking.k8s.io/v1", "ingressclasses", false),
    inputs: { ...annotated, spec: { controller: "example.com/ingress" } },
    edit: relabel,
    shows: "metadata.labels.team",
  },
  {
    type: "networking.k8s.io/v1:NetworkPolicy",
    path: group("networking.k8s.io/v1", "networkpolicies"),
    inputs: { spec: { podSelector: { matchLabels: labels }, policyTypes: ["Ingress"] } },
    edit: { spec: { podSelector: { matchLabels: { app: "DRIFT" } } } },
    shows: "spec.podSelector.matchLabels.app",
  },
  {
    type: "policy/v1:PodDisruptionBudget",
    path: group("policy/v1", "poddisruptionbudgets"),
    inputs: { spec: { minAvailable: 1, selector: { matchLabels: labels } } },
    edit: { spec: { minAvailable: 2 } },
    shows: "spec.minAvailable",
  },
  {
    type: "autoscaling/v2:HorizontalPodAutoscaler",
    path: group("autoscaling/v2", "horizontalpodautoscalers"),
    inputs: { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" } } },
    edit: { spec: { maxReplicas: 9 } },
    shows: "spec.maxReplicas",
  },
  {
    type: "rbac.authorization.k8s.io/v1:Role",
    path: group("rbac.authorization.k8s.io/v1", "roles"),
    inputs: { rules },
    edit: { rules: otherRules },
    shows: "rules[0].verbs",
  },
  {
    type: "rbac.authorization.k8s.io/v1:ClusterRole",
    path: group("rbac.authorization.k8s.io/v1", "clusterroles", false),
    inputs: { rules },
    edit: { rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] },
    shows: "rules[0].resources[0]",
  },
  {
    type: "rbac.authorization.k8s.io/v1:RoleBinding",
    path: group("rbac.authorization.k8s.io/v1", "rolebindings"),
    inputs: { roleRef: role("Role"), subjects },
    edit: { subjects: otherSubjects },
    shows: "subjects[0].name",
  },
  {
    type: "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    path: group("rbac.authorization.k8s.io/v1", "clusterrolebindings", false),
    inputs: { roleRef: role("ClusterRole"), subjects },
    edit: { subjects: otherSubjects },
    shows: "subjects[0].name",
  },
  {
    type: "storage.k8s.io/v1:StorageClass",
    path: group("storage.k8s.io/v1", "storageclasses", false),
    inputs: { provisioner: "example.com/disk", allowVolumeExpansion: true },
    edit: { allowVolumeExpansion: false },
    shows: "allowVolumeExpansion",
  },
  {
    type: "scheduling.k8s.io/v1:PriorityClass",
    path: group("scheduling.k8s.io/v1", "priorityclasses", false),
    inputs: { value: 10, description: "a" },
    edit: { description: "DRIFT" },
    shows: "description",
  },
  {
    type: "coordination.k8s.io/v1:Lease",
    path: group("coordination.k8s.io/v1", "leases"),
    inputs: { spec: { holderIdentity: "a" } },
    edit: { spec: { holderIdentity: "DRIFT" } },
    shows: "spec.holderIdentity",
  },
  {
    type: "admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration",
    path: group("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", false),
    inputs: { webhooks: webhooks("Ignore") },
    edit: { webhooks: webhooks("Fail") },
    shows: "webhooks[0].failurePolicy",
  },
  {
    type: "apiextensions.k8s.io/v1:CustomResourceDefinition",
    path: group("apiextensions.k8s.io/v1", "customresourcedefinitions", false),
    inputs: {
      spec: {
        group: "drift.example",
        scope: "Namespaced",
        names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList", shortNames: ["th"] },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", x_kubernetes_preserve_unknown_fields: true } } }],
      },
    },
    edit: { spec: { names: { shortNames: ["dr"] } } },
    shows: "spec.names.shortNames[0]",
  },
  {
    type: "example.com/v1:Gadget",
    path: group("example.com/v1", "gadgets"),
    inputs: { spec: { size: 1, parts: [] } },
    edit: { spec: { size: 2 } },
    shows: "spec.size",
  },
];

/** The definition of the custom kind among them. */
export const GADGET: Values = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", x_kubernetes_preserve_unknown_fields: true } } }],
  },
};
