const inSpec = (...names: string[]): readonly string[] => names.map((name) => `spec.${name}`);

/** Immutable fields (Validate…Update of Kubernetes 1.36), as paths below the object, by kind. */
export const FIXED_FIELDS = {
  Deployment: inSpec("selector"),
  DaemonSet: inSpec("selector"),
  ReplicaSet: inSpec("selector"),
  Job: inSpec("selector", "template", "completionMode", "podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "managedBy"),
  PersistentVolumeClaim: inSpec("accessModes", "storageClassName", "volumeName", "volumeMode", "selector", "dataSource", "dataSourceRef"),
  StorageClass: ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
  RoleBinding: ["roleRef"],
  ClusterRoleBinding: ["roleRef"],
  IngressClass: inSpec("controller"),
  PriorityClass: ["value", "preemptionPolicy"],
  RuntimeClass: ["handler"],
};
