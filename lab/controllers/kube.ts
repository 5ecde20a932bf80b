/** A cluster's objects as controllers read and write them. */
import { createHash } from "node:crypto";
import type { Cluster, KubeObject } from "../kubernetes";
import { isMap, type JsonMap, listAt, mapAt, type OwnerReference, same, textAt } from "../kubernetes/objects";

/** Kubernetes' alphabet for generated names: without vowels, so that no words come about. */
const SAFE = "bcdfghjklmnpqrstvwxz2456789";

/** A short name for any value; the same for equal values. */
export function hashOf(value: unknown, length = 10): string {
  return [
    ...createHash("sha256")
      .update(JSON.stringify(sorted(value)))
      .digest()
      .subarray(0, length),
  ]
    .map((byte) => SAFE[byte % SAFE.length])
    .join("");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

export const ownerOf = (object: KubeObject): OwnerReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  uid: object.metadata.uid ?? "",
  controller: true,
  blockOwnerDeletion: true,
});

export const controllerOf = (object: KubeObject): OwnerReference | undefined => object.metadata.ownerReferences?.find((reference) => reference.controller);

const isOwnedBy = (object: KubeObject, owner: KubeObject): boolean => controllerOf(object)?.uid === owner.metadata.uid;

export const conditionOf = (object: KubeObject | undefined, type: string): JsonMap | undefined =>
  listAt(object, "status", "conditions").find((c) => c["type"] === type);

export const isReady = (object: KubeObject | undefined): boolean => conditionOf(object, "Ready")?.["status"] === "True";

export const templateHash = (set: KubeObject): string => hashOf(mapAt(set, "spec", "template"));

export const encode64 = (text: string): string => Buffer.from(text).toString("base64");
export const decode64 = (text: string): string => Buffer.from(text, "base64").toString("utf8");

export class Kube {
  constructor(
    readonly cluster: Cluster,
    /** Name of the writer in managedFields. */
    private readonly manager: string,
  ) {}

  get store() {
    return this.cluster.store;
  }

  now(): string {
    return this.store.now();
  }

  find(apiVersion: string, kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.store.one(apiVersion, kind, namespace, name);
  }

  all(apiVersion: string, kind: string, namespace?: string): KubeObject[] {
    return this.store.all(apiVersion, kind, namespace);
  }

  create(object: KubeObject | (Omit<KubeObject, "metadata"> & { metadata: Omit<KubeObject["metadata"], "name"> & { generateName: string } })): KubeObject {
    const { store } = this.cluster;
    const type = store.type(String(object.apiVersion), String(object.kind));
    return store.create(type, object.metadata.namespace, object as KubeObject, { manager: this.manager }).object;
  }

  /** Changes the stored object. Nothing is written if nothing differs. */
  modify(object: KubeObject, edit: (current: KubeObject) => KubeObject): void {
    const { store } = this.cluster;
    store.modify(store.type(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name, edit, { manager: this.manager });
  }

  /** Replaces the whole status. */
  status(object: KubeObject, status: JsonMap): void {
    if (same(mapAt(object, "status"), status)) return;
    const { store } = this.cluster;
    const type = store.type(object.apiVersion, object.kind);
    store.modify(type, object.metadata.namespace, object.metadata.name, (current) => ({ ...current, status }), {
      manager: this.manager,
      subresource: "status",
    });
  }

  remove(object: KubeObject): void {
    const { store } = this.cluster;
    store.delete(store.type(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name);
  }

  /** A condition with the time at which it last turned. */
  condition(object: KubeObject, type: string, status: "True" | "False" | "Unknown", reason: string, message: string): JsonMap {
    const known = conditionOf(object, type);
    const since = known?.["status"] === status ? textAt(known, "lastTransitionTime") : undefined;
    return { type, status, reason, message, lastTransitionTime: since ?? this.now() };
  }

  /** Whether the namespace exists and is not being deleted. */
  isAlive(namespace: string | undefined): boolean {
    const found = namespace === undefined ? undefined : this.find("v1", "Namespace", undefined, namespace);
    return found !== undefined && found.metadata.deletionTimestamp === undefined;
  }

  owned(apiVersion: string, kind: string, owner: KubeObject): KubeObject[] {
    return this.all(apiVersion, kind, owner.metadata.namespace).filter((object) => isOwnedBy(object, owner));
  }
}

/** Leaves out what is 0, as Go's `omitempty` does. */
export const counts = (numbers: Readonly<Record<string, number>>): JsonMap => Object.fromEntries(Object.entries(numbers).filter(([, n]) => n > 0));
