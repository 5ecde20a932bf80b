/** Deletes an object and waits until it is gone. */
import { HomelabError } from "../../../common/errors";
import type { DeleteCall } from "../../sdk/resource";
import { ApiError } from "../client";
import type { ClusterTarget } from "../settings";
import { type ObjectType, refOfId } from "./identity";
import { annotation, map, text } from "./json";
import { isMissingKind } from "./managers";
import { secondsToWait } from "./settle";
import { untilGone } from "./wait";

/** Kinds for which `pulumi.com/skipAwait` skips this wait too, as in the official provider. */
const UNAWAITED = new Set(["Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"]);

const POLICIES: Record<string, string> = { orphan: "Orphan", background: "Background" };

export async function removeObject(type: ObjectType, call: DeleteCall<ClusterTarget>): Promise<void> {
  const { provider, id, inputs, outputs, signal, log, timeoutSeconds } = call;
  const { client, settings } = provider;
  const ref = refOfId(id, text(inputs["apiVersion"]) ?? type.apiVersion, text(inputs["kind"]) ?? type.kind);
  const policy = POLICIES[(annotation(inputs, "pulumi.com/deletionPropagationPolicy") ?? "").toLowerCase()] ?? "Foreground";
  try {
    if (!(await client.delete(ref, policy, signal))) return;
  } catch (thrown) {
    if (isMissingKind(thrown)) return;
    if (!(thrown instanceof HomelabError) || thrown.code !== "E_HTTP" || !settings.deleteUnreachable) throw thrown;
    log("warning", "the cluster cannot be reached: the resource is removed from the state (deleteUnreachable)");
    return;
  }
  if (annotation(inputs, "pulumi.com/skipAwait") === "true" && UNAWAITED.has(ref.kind)) return;
  const seconds = secondsToWait(inputs, timeoutSeconds);
  const gone = await untilGone(ref, { client, seconds, signal }, text(map(outputs["metadata"])["uid"])).catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown;
    return false;
  });
  if (!gone)
    throw new ApiError(
      0,
      "Timeout",
      `it is being deleted, but is still there${endOf(signal, seconds)}: something holds one of its finalizers`,
      `${ref.kind} ${id}`,
    );
}

const endOf = (signal: AbortSignal, seconds: number): string =>
  signal.aborted && !(signal.reason instanceof HomelabError && signal.reason.code === "E_TIMEOUT") ? " (the operation was cancelled)" : ` after ${seconds} s`;
