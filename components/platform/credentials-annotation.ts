/** Annotation of a pod that restarts when its credentials change. Its value is a `credentialMark`. Loads no Pulumi SDK. */
export const CREDENTIALS_ANNOTATION = "homelab/credentials";
