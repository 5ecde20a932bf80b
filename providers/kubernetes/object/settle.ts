/** What the state keeps of an object after a write, whether the wait for it succeeded or not. */
import { PartialFailure, type ResourceCall } from "../../sdk/resource";
import type { JsonObject, Values } from "../../sdk/values";
import type { ObjectRef } from "../client";
import type { ClusterTarget } from "../settings";
import type { UnknownOutcome } from "./apply";
import { idOf, isNamespaced } from "./identity";
import { annotation, map } from "./json";
import { outputsOf } from "./outputs";
import { DEFAULT_TIMEOUT_S, untilReady } from "./wait";

/** The resource's own limit, then the object's annotation, then the default. */
export function secondsToWait(inputs: JsonObject, timeoutSeconds: number | undefined): number {
  const annotated = Number(annotation(inputs, "pulumi.com/timeoutSeconds") ?? Number.NaN);
  return timeoutSeconds ?? (Number.isInteger(annotated) ? annotated : DEFAULT_TIMEOUT_S);
}

type Call = Pick<ResourceCall<ClusterTarget>, "provider" | "signal" | "timeoutSeconds" | "log">;

/**
 * Waits for an object that was applied.
 * @param live the object in the API's answer to the write
 * @throws PartialFailure where it is not ready: the object exists
 */
export async function settled(
  call: Call,
  ref: ObjectRef,
  live: JsonObject,
  inputs: JsonObject,
  fieldManager: string,
): Promise<{ id: string; outputs: Values }> {
  const seconds = secondsToWait(inputs, call.timeoutSeconds);
  const { object, problem, note } = await untilReady(ref, live, { client: call.provider.client, inputs, seconds, signal: call.signal });
  const id = idOf(object);
  const outputs = outputsOf(object, inputs, fieldManager);
  if (problem !== undefined) throw new PartialFailure(id, outputs, [`${ref.kind} ${id} was applied, but ${problem}`]);
  if (note !== undefined) call.log("info", `${ref.kind} ${id}: ${note}`);
  return { id, outputs };
}

/** After a write without an answer: the next run applies it again, or deletes the object if it exists. */
export async function unsettled(call: Call, ref: ObjectRef, inputs: JsonObject, fieldManager: string, failure: UnknownOutcome): Promise<PartialFailure> {
  const { client } = call.provider;
  const namespaced = await isNamespaced(client, ref.apiVersion, ref.kind, AbortSignal.abort()).catch(() => true);
  const namespace = namespaced ? { namespace: ref.namespace ?? client.defaultNamespace } : {};
  const object = { ...inputs, metadata: { ...map(inputs["metadata"]), ...namespace } };
  const because = failure.cause instanceof Error ? `: ${failure.cause.message}` : "";
  return new PartialFailure(idOf(object), outputsOf(object, inputs, fieldManager), [`${failure.message}${because}`], { cause: failure });
}
