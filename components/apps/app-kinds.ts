/** Kinds of objects that applications consist of (app-manifests.ts). Argo CD's rights are limited to them. Loads no Pulumi SDK. */
export const APPLICATION_KINDS = [
  { group: "", kind: "ConfigMap", resource: "configmaps" },
  { group: "", kind: "Service", resource: "services" },
  { group: "", kind: "ServiceAccount", resource: "serviceaccounts" },
  { group: "apps", kind: "Deployment", resource: "deployments" },
  { group: "autoscaling", kind: "HorizontalPodAutoscaler", resource: "horizontalpodautoscalers" },
  { group: "batch", kind: "Job", resource: "jobs" },
  { group: "networking.istio.io", kind: "VirtualService", resource: "virtualservices" },
  { group: "networking.k8s.io", kind: "Ingress", resource: "ingresses" },
  { group: "policy", kind: "PodDisruptionBudget", resource: "poddisruptionbudgets" },
] as const;
