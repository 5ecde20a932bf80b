/**
 * The objects of one cluster, changed by the rules of the API server: versions, defaults, validation, finalizers, owners,
 * namespaces that are being deleted, server-side apply. HTTP and controllers both go through here.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { ruleCauses } from "./custom-rules";
import { pruneAndDefault } from "./custom-schema";
import { schemaCauses } from "./custom-validation";
import { applyDefaults } from "./defaults";
import { crdSchema, type Schema } from "./field-schema";
import { ObjectTable } from "./object-table";
import { copy, isMap, type Json, type KubeObject, mapAt, same } from "./objects";
import { applied, noteUpdate } from "./ownership";
import { apiVersionOf, type ResourceType } from "./resource-types";
import { allocateAddress, keepAllocated } from "./service-addresses";
import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound, qualified, type StatusCause } from "./status";
import { validate } from "./validation";

/** Called before an object is stored or deleted. It throws to refuse that. */
export type Admit = (operation: "CREATE" | "UPDATE" | "DELETE", object: KubeObject) => void;

export interface WriteOptions {
  admit?: Admit;
  manager?: string;
  dryRun?: boolean;
  subresource?: "status" | "scale";
}

/** Changes that one request made in the store. */
export interface Written {
  object: KubeObject;
  /** false for a write that changed nothing, and for a dry run. */
  changed: boolean;
  created: boolean;
}

export class ObjectStore extends ObjectTable {
  create(type: ResourceType, namespace: string | undefined, given: KubeObject, options: WriteOptions = {}): Written {
    const object = this.#prepare(type, namespace, copy(given));
    const { metadata } = object;
    if (metadata.name && this.find(type, metadata.namespace, metadata.name) !== undefined) throw alreadyExists(type, metadata.name);
    // Nothing is stored in a namespace that does not exist or is being deleted.
    this.#requireNamespace(type, object);
    metadata.uid = randomUUID();
    metadata.creationTimestamp = this.now();
    this.#complete(type, object, undefined);
    if (object["status"] !== undefined && type.crd !== undefined && type.subresources.has("status")) delete object["status"];
    if (type.kind === "PersistentVolumeClaim") metadata.finalizers = [...(metadata.finalizers ?? []), "kubernetes.io/pvc-protection"];
    if (this.#hasGeneration(type)) metadata.generation = 1;
    if (type.kind === "Service" && type.group === "") allocateAddress(object, this.all("v1", "Service"));
    validate(type, object, undefined);
    options.admit?.("CREATE", object);
    if (options.manager !== undefined || metadata.managedFields === undefined) this.#own(type, object, undefined, options);
    if (options.dryRun) return { object: { ...object, metadata: { ...metadata } }, changed: false, created: true };
    return { object: this.put(type, object, undefined), changed: true, created: true };
  }

  /** Replaces an object; `metadata.resourceVersion`, where given, must be the current one. */
  update(type: ResourceType, namespace: string | undefined, name: string, given: KubeObject, options: WriteOptions = {}): Written {
    const old = this.get(type, namespace, name);
    const next = this.#prepare(type, namespace, copy(given));
    if (next.metadata.name !== name) throw badRequest(`the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`);
    const wanted = next.metadata.resourceVersion;
    if (wanted !== undefined && wanted !== "" && wanted !== old.metadata.resourceVersion) throw conflict(type, name);
    return this.#replace(type, old, next, options);
  }

  /** Changes the object as it is now. */
  modify(type: ResourceType, namespace: string | undefined, name: string, edit: (object: KubeObject) => KubeObject, options: WriteOptions = {}): Written {
    const old = this.get(type, namespace, name);
    return this.#replace(type, old, edit(copy(old)), options);
  }

  /** Server-side apply. */
  apply(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    given: KubeObject,
    options: WriteOptions & { manager: string; force: boolean },
  ): Written {
    const config = this.#prepare(type, namespace, copy({ ...given, metadata: { ...given.metadata, name: given.metadata?.name ?? name } }));
    if (config.metadata.name !== name) throw badRequest(`the name of the object (${config.metadata.name}) does not match the name on the URL (${name})`);
    const live = this.find(type, namespace, name);
    const { manager, force, ...rest } = options;
    const next = applied(type, config, live, { manager, force, subresource: rest.subresource, now: this.now() });
    return live === undefined ? this.create(type, namespace, next, rest) : this.#replace(type, live, next, rest, true);
  }

  #replace(type: ResourceType, old: KubeObject, next: KubeObject, options: WriteOptions, owned = false): Written {
    const kept = next.metadata;
    next.metadata = {
      ...kept,
      uid: old.metadata.uid ?? "",
      creationTimestamp: old.metadata.creationTimestamp ?? "",
      resourceVersion: old.metadata.resourceVersion ?? "",
    };
    if (old.metadata.generation !== undefined) next.metadata.generation = old.metadata.generation;
    if (old.metadata.deletionTimestamp !== undefined) next.metadata.deletionTimestamp = old.metadata.deletionTimestamp;
    if (!owned && kept.managedFields === undefined && old.metadata.managedFields !== undefined) next.metadata.managedFields = copy(old.metadata.managedFields);
    let object = next;
    if (options.subresource === "status")
      object = {
        ...copy(old),
        status: next["status"],
        metadata: { ...copy(old.metadata), ...(next.metadata.managedFields ? { managedFields: next.metadata.managedFields } : {}) },
      };
    else if (type.subresources.has("status") && old["status"] !== undefined) object["status"] = copy(old["status"]);
    else if (type.subresources.has("status") && type.crd !== undefined) delete object["status"];
    this.#complete(type, object, old);
    validate(type, object, old);
    options.admit?.("UPDATE", object);
    const unmanaged = (o: KubeObject): unknown => ({
      ...o,
      metadata: { ...o.metadata, managedFields: undefined, resourceVersion: undefined, generation: undefined },
    });
    const contentSame = same(JSON.parse(JSON.stringify(unmanaged(object))), JSON.parse(JSON.stringify(unmanaged(old))));
    // A writer may also name the owners itself, as kubectl does to take fields over.
    const ownersSame = same(JSON.parse(JSON.stringify(object.metadata.managedFields ?? [])), JSON.parse(JSON.stringify(old.metadata.managedFields ?? [])));
    if (contentSame && ownersSame) return { object: old, changed: false, created: false };
    if (!owned && !contentSame) this.#own(type, object, old, options);
    const specChanged = !same(withoutMeta(object), withoutMeta(old));
    if (this.#hasGeneration(type) && options.subresource === undefined && specChanged) object.metadata.generation = (old.metadata.generation ?? 1) + 1;
    if (options.dryRun) return { object, changed: false, created: false };
    const finalized = this.#finishDeletion(type, object);
    if (finalized) return { object, changed: true, created: false };
    return { object: this.put(type, object, old), changed: true, created: false };
  }

  /** @returns the object, and whether it is gone already */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: { admit?: Admit; dryRun?: boolean; propagation?: string; uid?: string } = {},
  ): { object: KubeObject; gone: boolean } {
    const old = this.get(type, namespace, name);
    if (options.uid !== undefined && options.uid !== old.metadata.uid) throw conflict(type, name);
    options.admit?.("DELETE", old);
    if (options.dryRun) return { object: old, gone: false };
    const finalizers = [...(old.metadata.finalizers ?? [])].filter((f) => f !== "kubernetes.io/pvc-protection" && f !== "foregroundDeletion" && f !== "orphan");
    const namespaceEnds = type.kind === "Namespace" && type.group === "";
    if (finalizers.length > 0 || namespaceEnds) {
      if (old.metadata.deletionTimestamp !== undefined) return { object: old, gone: false };
      const object = copy(old);
      object.metadata.deletionTimestamp = this.now();
      if (this.#hasGeneration(type) && object.metadata.generation !== undefined) object.metadata.generation++;
      if (object.metadata.finalizers) object.metadata.deletionGracePeriodSeconds = 0;
      if (namespaceEnds) object["status"] = { ...mapAt(object, "status"), phase: "Terminating" };
      return { object: this.put(type, object, old), gone: false };
    }
    this.remove(type, old);
    if (options.propagation !== "Orphan") this.#collectOwned(old);
    return { object: old, gone: true };
  }

  /** Removes a namespace whose content is deleted; called by the namespace controller. */
  finalizeNamespace(name: string): void {
    const type = this.type("v1", "Namespace");
    const old = this.find(type, undefined, name);
    if (old?.metadata.deletionTimestamp === undefined) return;
    let left = 0;
    for (const other of this.types.namespaced()) {
      for (const object of this.list(other, name)) if (!this.delete(other, name, object.metadata.name).gone) left++;
    }
    if (left === 0) this.remove(type, old);
  }

  /** Sets a namespace's finalizers. A terminating namespace without finalizers is removed, even if objects are left in it. */
  finalize(type: ResourceType, name: string, given: unknown, options: WriteOptions): Written {
    const finalizers = Array.isArray(given) ? given.map(String) : [];
    const old = this.get(type, undefined, name);
    const ends = old.metadata.deletionTimestamp !== undefined && finalizers.length === 0 && (old.metadata.finalizers ?? []).length === 0;
    const object = { ...copy(old), spec: { ...mapAt(old, "spec"), finalizers } };
    if (!ends || options.dryRun === true) return this.#replace(type, old, object, options);
    this.remove(type, old);
    return { object, changed: true, created: false };
  }

  #finishDeletion(type: ResourceType, object: KubeObject): boolean {
    const waits = (object.metadata.finalizers ?? []).length > 0;
    if (object.metadata.deletionTimestamp === undefined || waits || (type.kind === "Namespace" && type.group === "")) return false;
    this.remove(type, object);
    this.#collectOwned(object);
    return true;
  }

  /** Deletes the objects whose only owner is this one. */
  #collectOwned(owner: KubeObject): void {
    for (const { type, object } of this.ownedBy(owner)) {
      // It may have gone with another one of them.
      if (this.find(type, object.metadata.namespace, object.metadata.name) !== undefined) this.delete(type, object.metadata.namespace, object.metadata.name);
    }
  }

  #prepare(type: ResourceType, namespace: string | undefined, object: KubeObject): KubeObject {
    const apiVersion = apiVersionOf(type);
    if (object.kind !== undefined && (object.kind !== type.kind || (object.apiVersion !== undefined && object.apiVersion !== apiVersion))) {
      if (object.kind !== type.kind)
        throw badRequest(
          `${object.kind} in version "${apiVersion}" cannot be handled as a ${type.kind}: converting (${apiVersion}.${object.kind}) to (core.${type.kind}): unknown conversion`,
        );
      throw badRequest(`the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`);
    }
    const metadata = { ...object.metadata };
    if (type.namespaced) {
      if (metadata.namespace !== undefined && metadata.namespace !== "" && metadata.namespace !== namespace)
        throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
      metadata.namespace = namespace ?? "default";
    } else delete metadata.namespace;
    if (!metadata.name && metadata.generateName) metadata.name = `${metadata.generateName}${randomSuffix()}`;
    return { ...object, apiVersion, kind: type.kind, metadata };
  }

  #requireNamespace(type: ResourceType, object: KubeObject): void {
    const { namespace } = object.metadata;
    if (!type.namespaced || namespace === undefined) return;
    const found = this.find(this.type("v1", "Namespace"), undefined, namespace);
    if (found === undefined) throw notFound({ group: "", plural: "namespaces" }, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    throw forbidden(
      `${qualified(type)} "${object.metadata.name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      {
        name: object.metadata.name,
        ...(type.group === "" ? {} : { group: type.group }),
        kind: type.plural,
        causes: [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }],
      },
    );
  }

  /** Defaults, pruning and schema checks. */
  #complete(type: ResourceType, object: KubeObject, old: KubeObject | undefined): void {
    if (type.crd === undefined) {
      applyDefaults(object);
      if (type.kind === "Service" && old !== undefined) keepAllocated(object, old);
      return;
    }
    const schema: Schema = crdSchema(type.crd, type.version);
    const pruned = pruneAndDefault(JSON.parse(JSON.stringify(object)) as Json, schema);
    for (const key of Object.keys(object)) if (!isMap(pruned) || !(key in pruned)) delete object[key];
    if (isMap(pruned)) for (const [key, value] of Object.entries(pruned)) if (key !== "metadata") object[key] = value;
    const causes: StatusCause[] = schemaCauses(object as unknown as Json, schema);
    causes.push(...ruleCauses(object as unknown as Json, old as unknown as Json | undefined, schema, causes));
    if (causes.length > 0) throw invalid(object.kind, type.group, object.metadata.name, causes);
  }

  #own(type: ResourceType, object: KubeObject, old: KubeObject | undefined, { manager = "unknown", subresource }: WriteOptions): void {
    noteUpdate(type, object, old, { manager, subresource, now: this.now() });
  }

  #hasGeneration(type: ResourceType): boolean {
    return type.crd !== undefined || GENERATED.has(type.kind);
  }
}

const GENERATED = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Job",
  "CronJob",
  "Ingress",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "CustomResourceDefinition",
  "Pod",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
]);

const randomSuffix = (): string => [...randomBytes(5)].map((byte) => "bcdfghjklmnpqrstvwxz2456789"[byte % 27]).join("");

function withoutMeta(object: KubeObject): unknown {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest;
}
