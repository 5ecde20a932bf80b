/** Events of a cluster, as `kubectl describe` and `kubectl get events` show them. They are kept for an hour, as by a real server. */
import { randomBytes } from "node:crypto";
import type { KubeObject } from "../kubernetes";
import { numberAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";

const KEPT_MS = 3_600_000;
/** So that a lab that runs for days does not grow. */
const MOST = 500;

export interface EventNote {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  /** `kubelet`, `default-scheduler`, … */
  component: string;
}

const of = (event: KubeObject, object: KubeObject): boolean => textAt(event, "involvedObject", "uid") === object.metadata.uid;

/** Writes an event, or counts one that says the same. */
export function noteEvent(kube: Kube, object: KubeObject, { type, reason, message, component }: EventNote): void {
  const { namespace = "default", name, uid = "", resourceVersion } = object.metadata;
  if (!kube.isAlive(namespace)) return;
  const now = kube.now();
  const events = kube.all("v1", "Event");
  const old = events.filter((event) => Date.parse(now) - Date.parse(textAt(event, "lastTimestamp") ?? now) > KEPT_MS);
  for (const event of [...old, ...events.filter((each) => !old.includes(each)).slice(0, Math.max(0, events.length - old.length - MOST))]) kube.remove(event);
  const known = events.find((event) => !old.includes(event) && of(event, object) && event["reason"] === reason && event["message"] === message);
  if (known !== undefined) {
    kube.modify(known, (event) => ({ ...event, count: (numberAt(event, "count") ?? 1) + 1, lastTimestamp: now }));
    return;
  }
  kube.create({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${randomBytes(8).toString("hex")}`, namespace },
    involvedObject: { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    type,
    reason,
    message,
    source: { component, ...(component === "kubelet" ? { host: kube.cluster.node } : {}) },
    reportingComponent: component,
    reportingInstance: component === "kubelet" ? kube.cluster.node : "",
    firstTimestamp: now,
    lastTimestamp: now,
    eventTime: null,
    count: 1,
  } as unknown as KubeObject);
}
