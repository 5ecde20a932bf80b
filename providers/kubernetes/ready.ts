/** When an object is what was asked for: the official provider's rules, for the kinds that have one. */
import type { Clock } from "../../common/clock";
import { systemClock } from "../../common/clock";
import type { Json, JsonObject } from "../sdk/values";
import type { KubernetesClient, ObjectRef } from "./client";

const map = (value: Json | undefined): JsonObject => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {});
const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.map(map) : []);
const number = (value: Json | undefined, fallback = 0): number => (typeof value === "number" ? value : fallback);
const condition = (object: JsonObject, type: string): JsonObject | undefined => list(map(object["status"])["conditions"]).find((c) => c["type"] === type);

/** undefined: ready; otherwise what is missing. */
function missing(object: JsonObject): string | undefined {
  const [metadata, spec, status] = [map(object["metadata"]), map(object["spec"]), map(object["status"])];
  const observed = number(status["observedGeneration"]) >= number(metadata["generation"], 1);
  const replicas = number(spec["replicas"], 1);
  switch (`${String(object["apiVersion"])}/${String(object["kind"])}`) {
    case "apps/v1/Deployment": {
      const updated = number(status["updatedReplicas"]);
      const available = number(status["availableReplicas"]);
      if (!observed || updated < replicas || available < replicas || number(status["replicas"]) > updated)
        return `${available} of ${replicas} replicas are available: ${String(condition(object, "Available")?.["message"] ?? "the controller has not seen it yet")}`;
      return undefined;
    }
    case "apps/v1/StatefulSet":
      return observed && number(status["readyReplicas"]) >= replicas && status["currentRevision"] === status["updateRevision"]
        ? undefined
        : `${number(status["readyReplicas"])} of ${replicas} replicas are ready`;
    case "apps/v1/DaemonSet":
      return observed && status["desiredNumberScheduled"] !== undefined && number(status["numberReady"]) >= number(status["desiredNumberScheduled"])
        ? undefined
        : "not all pods are ready";
    case "batch/v1/Job":
      if (condition(object, "Failed")?.["status"] === "True") return `the job failed: ${String(condition(object, "Failed")?.["message"] ?? "")}`;
      return condition(object, "Complete")?.["status"] === "True" ? undefined : "the job is not complete";
    case "v1/Pod":
      return condition(object, "Ready")?.["status"] === "True" || status["phase"] === "Succeeded" ? undefined : "the pod is not ready";
    case "v1/Service":
      return spec["type"] !== "LoadBalancer" || list(map(status["loadBalancer"])["ingress"]).length > 0
        ? undefined
        : "the service has no load balancer address";
    case "networking.k8s.io/v1/Ingress":
      return list(map(status["loadBalancer"])["ingress"]).length > 0 ? undefined : "the ingress has no address: is an ingress controller running?";
    case "apiextensions.k8s.io/v1/CustomResourceDefinition":
      return condition(object, "Established")?.["status"] === "True" ? undefined : "the definition is not established";
    case "v1/Secret":
      return object["type"] !== "kubernetes.io/service-account-token" || map(object["data"])["token"] !== undefined
        ? undefined
        : "the token controller has not filled it in";
    case "v1/Namespace":
      return status["phase"] === "Active" ? undefined : "the namespace is not active";
    default:
      return undefined;
  }
}

const FIRST_POLL_MS = 30;
const LONGEST_POLL_MS = 1_000;
/** What is waited too long is at most about this share of what had to be waited. */
const POLL_FACTOR = 1.25;
/** The official provider's default. */
export const DEFAULT_TIMEOUT_S = 600;

/**
 * Waits until an object is ready.
 * @returns the object, and what is still missing when the time was over
 */
export async function untilReady(
  client: KubernetesClient,
  ref: ObjectRef,
  first: JsonObject,
  seconds: number,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<{ object: JsonObject; missing: string | undefined }> {
  const deadline = clock.now() + seconds * 1000;
  let object = first;
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_FACTOR, LONGEST_POLL_MS)) {
    const reason = missing(object);
    if (reason === undefined) return { object, missing: undefined };
    if (clock.now() + wait > deadline) return { object, missing: reason };
    await clock.sleep(wait, signal);
    object = (await client.get(ref, signal)) ?? object;
  }
}

/** Waits until an object is gone. @returns whether it is */
export async function untilGone(client: KubernetesClient, ref: ObjectRef, seconds: number, signal: AbortSignal, clock: Clock = systemClock): Promise<boolean> {
  const deadline = clock.now() + seconds * 1000;
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_FACTOR, LONGEST_POLL_MS)) {
    if ((await client.get(ref, signal)) === undefined) return true;
    if (clock.now() + wait > deadline) return false;
    await clock.sleep(wait, signal);
  }
}
