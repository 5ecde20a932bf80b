/** Annotation of a pod that is to be restarted when its credentials are others; its value is a `credentialMark`. Loads no Pulumi SDK. */
export const CREDENTIALS_ANNOTATION = "homelab/credentials";
