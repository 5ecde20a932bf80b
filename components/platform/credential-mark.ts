import * as crypto from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

const MARK_BYTES = 12;

/**
 * Another text for other credentials, for the annotations of a pod whose program reads them once, at its start, and whose chart
 * restarts it for no Secret that it did not make. Slow to compute on purpose, since who may look at pods may see it; no secret, so
 * that a preview can show it.
 * @param salt the same for the same pod
 */
export const credentialMark = (salt: string, credentials: readonly pulumi.Input<string>[]): pulumi.Output<string> =>
  pulumi.unsecret(pulumi.all([...credentials]).apply((all) => crypto.scryptSync(JSON.stringify(all), salt, MARK_BYTES).toString("hex")));
