/** How healthy an object is, as Argo CD judges it (gitops-engine/pkg/health and resource_customizations of v3.4). */

import { conditionOf } from "../controllers/kube";
import type { KubeObject } from "../kubernetes";
import { groupOf, listAt, numberAt, textAt } from "../kubernetes/objects";
import { NotModelled } from "./schema";

export type HealthStatus = "Healthy" | "Progressing" | "Suspended" | "Degraded" | "Missing" | "Unknown";
export interface Health {
  status: HealthStatus;
  message?: string;
}

/** From good to bad, as an Application's health is that of its worst object. */
const ORDER: readonly HealthStatus[] = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"];
export const worseOf = (a: HealthStatus, b: HealthStatus): HealthStatus => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a);

const HEALTHY: Health = { status: "Healthy" };
const progressing = (message: string): Health => ({ status: "Progressing", message });

function deployment(object: KubeObject): Health {
  const count = (field: string): number => numberAt(object, "status", field) ?? 0;
  const [updated, total, available] = [count("updatedReplicas"), count("replicas"), count("availableReplicas")];
  const wanted = numberAt(object, "spec", "replicas");
  if ((object.metadata.generation ?? 0) > count("observedGeneration"))
    return progressing("Waiting for rollout to finish: observed deployment generation less than desired generation");
  if (textAt(conditionOf(object, "Progressing"), "reason") === "ProgressDeadlineExceeded")
    return { status: "Degraded", message: `Deployment "${object.metadata.name}" exceeded its progress deadline` };
  if (wanted !== undefined && updated < wanted)
    return progressing(`Waiting for rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`);
  if (total > updated) return progressing(`Waiting for rollout to finish: ${total - updated} old replicas are pending termination...`);
  if (available < updated) return progressing(`Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`);
  return HEALTHY;
}

function job(object: KubeObject): Health {
  const held = (type: string) => listAt(object, "status", "conditions").find((condition) => condition["type"] === type && condition["status"] === "True");
  const failed = held("Failed");
  if (failed !== undefined) return { status: "Degraded", message: textAt(failed, "message") ?? "" };
  const complete = held("Complete");
  if (complete !== undefined) return { status: "Healthy", message: textAt(complete, "message") ?? "" };
  return held("Suspended") === undefined ? progressing("") : { status: "Suspended", message: "" };
}

const balanced = (object: KubeObject): Health => (listAt(object, "status", "loadBalancer", "ingress").length > 0 ? HEALTHY : progressing(""));

function disruptionBudget(object: KubeObject): Health {
  const conditions = listAt(object, "status", "conditions");
  if (conditions.length === 0) return progressing("Waiting for status");
  const bad = conditions.find((condition) => condition["status"] === "False" && condition["reason"] !== "InsufficientPods");
  const of = String((bad ?? conditions.at(-1))?.["reason"]);
  return { status: bad === undefined ? "Healthy" : "Degraded", message: `PodDisruptionBudget has ${of}` };
}

function autoscaler(object: KubeObject): Health {
  const conditions = listAt(object, "status", "conditions");
  const bad = conditions.find((condition) => condition["status"] === "False" && /^Failed|^Invalid/.test(String(condition["reason"])));
  if (bad !== undefined) return { status: "Degraded", message: String(bad["message"]) };
  return conditions.length === 0 ? progressing("Waiting to Autoscale") : HEALTHY;
}

function applicationSet(object: KubeObject): Health {
  const is = (type: string, status: string): boolean => conditionOf(object, type)?.["status"] === status;
  if (is("ErrorOccurred", "True") || is("ResourcesUpToDate", "False"))
    return { status: "Degraded", message: textAt(conditionOf(object, "ErrorOccurred"), "message") ?? "" };
  return is("ResourcesUpToDate", "True") ? HEALTHY : progressing("Waiting for the status to be reported");
}

const JUDGED: Readonly<Record<string, (object: KubeObject) => Health>> = {
  "apps/Deployment": deployment,
  "batch/Job": job,
  "/Service": (object) => (textAt(object, "spec", "type") === "LoadBalancer" ? balanced(object) : HEALTHY),
  "networking.k8s.io/Ingress": balanced,
  "policy/PodDisruptionBudget": disruptionBudget,
  "autoscaling/HorizontalPodAutoscaler": autoscaler,
  "argoproj.io/ApplicationSet": applicationSet,
};

/** Kinds for which Argo CD has no health check. */
const UNJUDGED = new Set([
  "/ConfigMap",
  "/Namespace",
  "/Secret",
  "/ServiceAccount",
  "networking.istio.io/VirtualService",
  "networking.k8s.io/NetworkPolicy",
  "rbac.authorization.k8s.io/Role",
  "rbac.authorization.k8s.io/RoleBinding",
  "argoproj.io/Application",
  "argoproj.io/AppProject",
]);

/** @returns undefined for a kind that has no health. @throws NotModelled */
export function healthOf(object: KubeObject): Health | undefined {
  const kind = `${groupOf(object)}/${object.kind}`;
  const judge = JUDGED[kind];
  if (judge === undefined && !UNJUDGED.has(kind)) throw new NotModelled(`not modelled by the lab: the health of ${object.kind} ${object.metadata.name}`);
  return judge?.(object);
}
