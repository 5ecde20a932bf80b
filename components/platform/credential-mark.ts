import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

const MARK_BYTES = 12;

/**
 * A digest of credentials for an annotation of a pod, so that other credentials restart it. This is for programs that read their
 * credentials only at their start, and whose chart does not restart them for a Secret that it did not make. The digest is slow to compute
 * on purpose, because whoever can read pods can read it. It is not a secret, so that a preview shows the change.
 * @param salt the same for the same pod
 */
export const credentialMark = (salt: string, credentials: readonly pulumi.Input<string>[]): pulumi.Output<string> =>
  pulumi.unsecret(pulumi.all([...credentials]).apply((all) => crypto.scryptSync(JSON.stringify(all), salt, MARK_BYTES).toString("hex")));
