/** The name of a golden image: what the Job publishes, what `homelab sessions` takes, and what cks-backend clones. Pure. */

/** What sessions clone: `golden-1-33-0` of Kubernetes 1.33.0. @param kubernetesVersion such as `1.33.0` */
export const goldenImageName = (kubernetesVersion: string): string => `golden-${kubernetesVersion.replaceAll(".", "-")}`;
