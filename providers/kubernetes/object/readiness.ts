/** Whether an object is what was asked for: the official provider's rules, and its exceptions in docs/providers.md. */
import type { JsonObject } from "../../sdk/values";
import type { ObjectRef } from "../client";
import { annotation, condition, list, map, number, text } from "./json";
import { waitForState } from "./wait-for";

export type Readiness =
  /** `note`: why nothing was waited for, where the user should know. */
  | { state: "ready"; note?: string }
  | { state: "progressing"; missing: string }
  /** It will not become ready by itself. */
  | { state: "failed"; reason: string };

/** Reads another object of the cluster; undefined: it is not there. */
export type Look = (ref: ObjectRef) => Promise<JsonObject | undefined>;

const READY: Readiness = { state: "ready" };
const progressing = (missing: string): Readiness => ({ state: "progressing", missing });
const failed = (reason: string): Readiness => ({ state: "failed", reason });
const readyIf = (ready: boolean, missing: string): Readiness => (ready ? READY : progressing(missing));

const isTrue = (object: JsonObject, type: string): boolean => condition(object, type)?.["status"] === "True";
const messageOf = (object: JsonObject, type: string): string => {
  const found = condition(object, type);
  return found === undefined ? "" : `: ${[text(found["reason"]), text(found["message"])].filter((part) => part !== undefined).join(": ")}`;
};

/** Whether the controller has seen the object's current generation. */
const observed = (object: JsonObject): boolean => number(map(object["status"])["observedGeneration"]) >= number(map(object["metadata"])["generation"], 1);

function deployment(object: JsonObject): Readiness {
  const [spec, status] = [map(object["spec"]), map(object["status"])];
  if (spec["paused"] === true) return { state: "ready", note: "it is paused, so its pods are not waited for" };
  const replicas = number(spec["replicas"], 1);
  const [updated, available] = [number(status["updatedReplicas"]), number(status["availableReplicas"])];
  if (!observed(object)) return progressing("the controller has not seen it yet");
  const missing = `${Math.min(available, updated)} of ${replicas} replicas are updated and available`;
  const stalled = condition(object, "Progressing")?.["status"] === "False" ? messageOf(object, "Progressing") : messageOf(object, "Available");
  return readyIf(updated >= replicas && available >= replicas && number(status["replicas"]) <= updated, `${missing}${stalled}`);
}

function statefulSet(object: JsonObject): Readiness {
  const [spec, status] = [map(object["spec"]), map(object["status"])];
  const replicas = number(spec["replicas"], 1);
  const ready = number(status["readyReplicas"]);
  if (!observed(object)) return progressing("the controller has not seen it yet");
  const strategy = map(spec["updateStrategy"]);
  const partition = number(map(strategy["rollingUpdate"])["partition"]);
  const byHand = strategy["type"] === "OnDelete" && number(map(object["metadata"])["generation"], 1) > 1;
  const sameRevision = status["currentRevision"] !== undefined && status["currentRevision"] === status["updateRevision"];
  const rolledOut = byHand || sameRevision || (partition > 0 && number(status["updatedReplicas"]) >= replicas - partition);
  if (!rolledOut) return progressing(`${number(status["updatedReplicas"])} of ${replicas} replicas are updated`);
  return readyIf(ready >= replicas && number(status["replicas"]) === replicas, `${ready} of ${replicas} replicas are ready`);
}

function daemonSet(object: JsonObject): Readiness {
  const status = map(object["status"]);
  if (!observed(object) || status["desiredNumberScheduled"] === undefined) return progressing("the controller has not seen it yet");
  const wanted = number(status["desiredNumberScheduled"]);
  const counts = { scheduled: "currentNumberScheduled", updated: "updatedNumberScheduled", available: "numberAvailable", ready: "numberReady" };
  for (const [what, field] of Object.entries(counts))
    if (number(status[field]) < wanted) return progressing(`${number(status[field])} of ${wanted} pods are ${what}`);
  return READY;
}

function job(object: JsonObject): Readiness {
  if (isTrue(object, "Failed")) return failed(`the job failed${messageOf(object, "Failed")}`);
  if (isTrue(object, "Complete")) return READY;
  if (map(object["spec"])["suspend"] === true) return { state: "ready", note: "it is suspended, so its completion is not waited for" };
  const status = map(object["status"]);
  const counts = ["active", "succeeded", "failed"].map((field) => `${number(status[field])} ${field}`).join(", ");
  return progressing(`the job is not complete (${counts})`);
}

function pod(object: JsonObject): Readiness {
  const phase = map(object["status"])["phase"];
  if (isTrue(object, "Ready") || phase === "Succeeded") return READY;
  if (phase === "Failed") return failed(`the pod failed${messageOf(object, "Ready")}`);
  const unscheduled = condition(object, "PodScheduled")?.["status"] === "False";
  return progressing(`the pod is not ready${messageOf(object, unscheduled ? "PodScheduled" : "Ready")}`);
}

const hasAddress = (object: JsonObject): boolean => list(map(map(object["status"])["loadBalancer"])["ingress"]).length > 0;

async function service(object: JsonObject, look: Look): Promise<Readiness> {
  const spec = map(object["spec"]);
  if (spec["type"] === "LoadBalancer" && !hasAddress(object)) return progressing("the service has no load balancer address");
  const withoutPods = spec["type"] === "ExternalName" || spec["clusterIP"] === "None" || Object.keys(map(spec["selector"])).length === 0;
  if (withoutPods) return READY;
  const { name, namespace } = map(object["metadata"]);
  const endpoints = await look({ apiVersion: "v1", kind: "Endpoints", namespace: text(namespace), name: String(name) });
  const pending = list(endpoints?.["subsets"]).some((subset) => list(map(subset)["notReadyAddresses"]).length > 0);
  return readyIf(!pending, "pods that the service selects are not ready");
}

async function claim(object: JsonObject, look: Look): Promise<Readiness> {
  const phase = map(object["status"])["phase"];
  if (phase === "Bound") return READY;
  const className = text(map(object["spec"])["storageClassName"]);
  const storageClass =
    className === undefined ? undefined : await look({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", namespace: undefined, name: className });
  const waits = storageClass?.["volumeBindingMode"] === "WaitForFirstConsumer";
  return readyIf(waits && phase === "Pending", `the claim is ${String(phase ?? "not seen by a controller yet")}`);
}

type Rule = (object: JsonObject, look: Look) => Readiness | Promise<Readiness>;

const RULES: Record<string, Rule> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "batch/v1/Job": job,
  "v1/Pod": pod,
  "v1/Service": service,
  "v1/PersistentVolumeClaim": claim,
  "v1/ReplicationController": (object) =>
    readyIf(
      number(map(object["status"])["availableReplicas"]) === number(map(object["spec"])["replicas"], 1),
      `${number(map(object["status"])["availableReplicas"])} of ${number(map(object["spec"])["replicas"], 1)} replicas are available`,
    ),
  "networking.k8s.io/v1/Ingress": (object) => readyIf(hasAddress(object), "the ingress has no address: is an ingress controller running?"),
  "apiextensions.k8s.io/v1/CustomResourceDefinition": (object) =>
    readyIf(isTrue(object, "Established"), `the definition is not established${messageOf(object, "NamesAccepted")}`),
  "v1/Secret": (object) =>
    readyIf(
      object["type"] !== "kubernetes.io/service-account-token" || Object.keys(map(object["data"])).length > 0,
      "the token controller has not filled it in",
    ),
  "v1/Namespace": (object) => readyIf(map(object["status"])["phase"] === "Active", "the namespace is not active"),
};

/** Kinds whose readiness a refresh looks at: as the official provider's. */
const READ = new Set(["Deployment", "StatefulSet", "DaemonSet", "Job", "Pod", "Service", "Ingress"]);

/** @param inputs what the program gave: its annotations say whether, and for what, is waited */
export async function readinessOf(object: JsonObject, inputs: JsonObject, look: Look): Promise<Readiness> {
  if (annotation(inputs, "pulumi.com/skipAwait") === "true") return READY;
  const waitFor = annotation(inputs, "pulumi.com/waitFor");
  if (waitFor !== undefined) {
    const missing = waitForState(object, waitFor);
    return missing === undefined ? READY : progressing(missing);
  }
  return (await RULES[`${String(object["apiVersion"])}/${String(object["kind"])}`]?.(object, look)) ?? READY;
}

export const isReadWithReadiness = (object: JsonObject): boolean => READ.has(String(object["kind"]));
