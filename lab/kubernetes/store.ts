/**
 * The objects of one cluster, with the semantics of the API server: versions, defaults, validation, finalizers, owners,
 * namespaces that end, server-side apply. HTTP and controllers both go through here.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../../common/clock";
import { pruneAndDefault, schemaCauses } from "./custom-schema";
import { applyDefaults } from "./defaults";
import { crdSchema, type Schema, schemaOf } from "./field-schema";
import { conflicts, merge, ownedFields, removeDropped, subtract } from "./managed-fields";
import { copy, isMap, type Json, type JsonMap, type KubeObject, listAt, type ManagedFields, mapAt, same, textAt } from "./objects";
import { apiVersionOf, type ResourceType, ResourceTypes, storageKey } from "./resource-types";
import { alreadyExists, badRequest, conflict, forbidden, invalid, noResource, notFound, qualified, type StatusCause, StatusError } from "./status";
import { validate } from "./validation";

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubeObject;
  /** The object before, for watchers that select. */
  previous: KubeObject | undefined;
}

export interface WriteOptions {
  manager?: string;
  dryRun?: boolean;
  subresource?: "status" | "scale";
}

/** What happened to the store by one request. */
export interface Written {
  object: KubeObject;
  /** false for a write that changed nothing, and for a dry run. */
  changed: boolean;
  created: boolean;
}

type Listener = (event: WatchEvent, key: string) => void;

/** Events that a watch may still ask for. */
const HISTORY = 2_000;

const idOf = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`;

export class ObjectStore {
  readonly types = new ResourceTypes();
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Set<Listener>();
  #history: { version: number; key: string; event: WatchEvent }[] = [];
  #version = 1;

  constructor(
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  get resourceVersion(): string {
    return String(this.#version);
  }

  now(): string {
    return new Date(this.clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");
  }

  type(apiVersion: string, kind: string): ResourceType {
    const type = this.types.byKind(apiVersion, kind);
    if (type === undefined) throw noResource();
    return type;
  }

  #bucket(type: { group: string; plural: string }): Map<string, KubeObject> {
    const key = storageKey(type);
    let bucket = this.#objects.get(key);
    if (bucket === undefined) {
      bucket = new Map();
      this.#objects.set(key, bucket);
    }
    return bucket;
  }

  // ---- reading

  find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    const object = this.#bucket(type).get(idOf(type.namespaced ? namespace : undefined, name));
    return object && this.#inVersion(object, type);
  }

  get(type: ResourceType, namespace: string | undefined, name: string): KubeObject {
    const object = this.find(type, namespace, name);
    if (object === undefined) throw notFound(type, name);
    return object;
  }

  /** @param namespace undefined = all */
  list(type: ResourceType, namespace?: string): KubeObject[] {
    return [...this.#bucket(type).values()]
      .filter((object) => namespace === undefined || object.metadata.namespace === namespace)
      .sort((a, b) => (idOf(a.metadata.namespace, a.metadata.name) < idOf(b.metadata.namespace, b.metadata.name) ? -1 : 1))
      .map((object) => this.#inVersion(object, type));
  }

  /** By apiVersion and kind, for controllers; a kind that is not defined has no objects. */
  all(apiVersion: string, kind: string, namespace?: string): KubeObject[] {
    const type = this.types.byKind(apiVersion, kind);
    return type === undefined ? [] : this.list(type, namespace);
  }

  one(apiVersion: string, kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    const type = this.types.byKind(apiVersion, kind);
    return type && this.find(type, namespace, name);
  }

  #inVersion(object: KubeObject, type: ResourceType): KubeObject {
    const apiVersion = apiVersionOf(type);
    return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
  }

  /** Calls back for every change from now on. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes after a version; undefined where they are too old to be known. */
  since(version: number, key: string): WatchEvent[] | undefined {
    const oldest = this.#history[0]?.version ?? this.#version;
    if (version + 1 < oldest && this.#history.length >= HISTORY) return undefined;
    return this.#history.filter((entry) => entry.version > version && entry.key === key).map((entry) => entry.event);
  }

  // ---- writing

  create(type: ResourceType, namespace: string | undefined, given: KubeObject, options: WriteOptions = {}): Written {
    const object = this.#prepare(type, namespace, copy(given));
    const { metadata } = object;
    const bucket = this.#bucket(type);
    if (metadata.name && bucket.has(idOf(metadata.namespace, metadata.name))) throw alreadyExists(type, metadata.name);
    // A controller's namespace: nothing is put into one that is not there.
    this.#requireNamespace(type, object);
    metadata.uid = randomUUID();
    metadata.creationTimestamp = this.now();
    this.#complete(type, object, undefined);
    if (object["status"] !== undefined && type.crd !== undefined && type.subresources.has("status")) delete object["status"];
    if (type.kind === "PersistentVolumeClaim") metadata.finalizers = [...(metadata.finalizers ?? []), "kubernetes.io/pvc-protection"];
    if (this.#hasGeneration(type)) metadata.generation = 1;
    if (type.kind === "Service" && type.group === "") this.#allocateAddress(object);
    validate(type, object, undefined);
    if (options.manager !== undefined || metadata.managedFields === undefined) this.#own(type, object, undefined, options);
    if (options.dryRun) return { object: { ...object, metadata: { ...metadata } }, changed: false, created: true };
    return { object: this.#put(type, object, undefined), changed: true, created: true };
  }

  /** Gives a service its cluster address: the first free one of k3s's range. */
  #allocateAddress(service: KubeObject): void {
    const spec = mapAt(service, "spec");
    if (spec["type"] === "ExternalName" || spec["clusterIP"] !== undefined) {
      if (spec["clusterIP"] !== undefined && spec["clusterIPs"] === undefined) spec["clusterIPs"] = [spec["clusterIP"]];
      return;
    }
    const taken = new Set(this.all("v1", "Service").map((other) => textAt(other, "spec", "clusterIP")));
    let n = 10;
    while (taken.has(`10.43.${n >> 8}.${n & 255}`)) n++;
    spec["clusterIP"] = `10.43.${n >> 8}.${n & 255}`;
    spec["clusterIPs"] = [spec["clusterIP"]];
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
    applied: KubeObject,
    options: WriteOptions & { manager: string; force: boolean },
  ): Written {
    const schema = schemaOf(type);
    const config = this.#prepare(type, namespace, copy({ ...applied, metadata: { ...applied.metadata, name: applied.metadata?.name ?? name } }));
    if (config.metadata.name !== name) throw badRequest(`the name of the object (${config.metadata.name}) does not match the name on the URL (${name})`);
    const clean = JSON.parse(
      JSON.stringify({ ...config, metadata: { ...config.metadata, managedFields: undefined, resourceVersion: undefined, uid: undefined } }),
    ) as JsonMap;
    const fields = ownedFields(clean, schema, false);
    const live = this.find(type, namespace, name);
    const entry: ManagedFields = {
      manager: options.manager,
      operation: "Apply",
      apiVersion: apiVersionOf(type),
      time: this.now(),
      fieldsType: "FieldsV1",
      fieldsV1: fields,
      ...(options.subresource ? { subresource: options.subresource } : {}),
    };
    if (live === undefined) {
      const object = clean as unknown as KubeObject;
      object.metadata.managedFields = [entry];
      return this.#createApplied(type, namespace, object, options);
    }
    const managers = live.metadata.managedFields ?? [];
    const found = conflicts(clean, live as unknown as JsonMap, fields, managers, options.manager, schema);
    if (found.length > 0 && !options.force) throw applyConflict(found);
    const before = managers.find((m) => m.manager === options.manager && m.operation === "Apply");
    const others = managers.filter((m) => m !== before).map((m) => (found.some((f) => f.manager === m) ? { ...m, fieldsV1: subtract(m.fieldsV1, fields) } : m));
    let merged = merge(live as unknown as Json, clean, schema) as JsonMap;
    if (before !== undefined) merged = removeDropped(merged, before.fieldsV1, fields, others, schema);
    const unchangedSet = before !== undefined && same(before.fieldsV1, fields);
    const next = merged as unknown as KubeObject;
    next.metadata = { ...next.metadata, managedFields: [unchangedSet && before ? before : entry, ...others].filter((m) => Object.keys(m.fieldsV1).length > 0) };
    return this.#replace(
      type,
      live,
      next,
      { ...(options.dryRun ? { dryRun: true } : {}), ...(options.subresource ? { subresource: options.subresource } : {}) },
      true,
    );
  }

  #createApplied(type: ResourceType, namespace: string | undefined, object: KubeObject, options: WriteOptions): Written {
    const { manager: _manager, ...rest } = options;
    return this.create(type, namespace, object, rest);
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
    const unmanaged = (o: KubeObject): unknown => ({
      ...o,
      metadata: { ...o.metadata, managedFields: undefined, resourceVersion: undefined, generation: undefined },
    });
    const contentSame = same(JSON.parse(JSON.stringify(unmanaged(object))), JSON.parse(JSON.stringify(unmanaged(old))));
    const ownersSame =
      !owned || same(JSON.parse(JSON.stringify(object.metadata.managedFields ?? [])), JSON.parse(JSON.stringify(old.metadata.managedFields ?? [])));
    if (contentSame && ownersSame) return { object: old, changed: false, created: false };
    if (!owned) this.#own(type, object, old, options);
    const specChanged = !same(withoutMeta(object), withoutMeta(old));
    if (this.#hasGeneration(type) && options.subresource === undefined && specChanged) object.metadata.generation = (old.metadata.generation ?? 1) + 1;
    if (options.dryRun) return { object, changed: false, created: false };
    const finalized = this.#finishDeletion(type, object);
    if (finalized) return { object, changed: true, created: false };
    return { object: this.#put(type, object, old), changed: true, created: false };
  }

  /** @returns the object, and whether it is gone already */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: { dryRun?: boolean; propagation?: string; uid?: string } = {},
  ): { object: KubeObject; gone: boolean } {
    const old = this.get(type, namespace, name);
    if (options.uid !== undefined && options.uid !== old.metadata.uid) throw conflict(type, name);
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
      return { object: this.#put(type, object, old), gone: false };
    }
    this.#remove(type, old);
    if (options.propagation !== "Orphan") this.#collectOwned(old);
    return { object: old, gone: true };
  }

  /** Ends a namespace whose content is gone; called by the namespace controller. */
  finalizeNamespace(name: string): void {
    const type = this.type("v1", "Namespace");
    const old = this.find(type, undefined, name);
    if (old?.metadata.deletionTimestamp === undefined) return;
    let left = 0;
    for (const other of this.types.namespaced()) {
      for (const object of this.list(other, name)) if (!this.delete(other, name, object.metadata.name).gone) left++;
    }
    if (left === 0) this.#remove(type, old);
  }

  #finishDeletion(type: ResourceType, object: KubeObject): boolean {
    const waits = (object.metadata.finalizers ?? []).length > 0;
    if (object.metadata.deletionTimestamp === undefined || waits || (type.kind === "Namespace" && type.group === "")) return false;
    this.#remove(type, object);
    this.#collectOwned(object);
    return true;
  }

  /** What has this object as its only owner goes with it. */
  #collectOwned(owner: KubeObject): void {
    for (const [key, bucket] of [...this.#objects]) {
      for (const object of [...bucket.values()]) {
        const owners = object.metadata.ownerReferences ?? [];
        if (!owners.some((reference) => reference.uid === owner.metadata.uid)) continue;
        const type = this.types.byKind(object.apiVersion, object.kind);
        if (type === undefined || storageKey(type) !== key) continue;
        const rest = owners.filter((reference) => reference.uid !== owner.metadata.uid);
        if (rest.length === 0) this.delete(type, object.metadata.namespace, object.metadata.name);
      }
    }
  }

  #put(type: ResourceType, object: KubeObject, old: KubeObject | undefined): KubeObject {
    this.#version++;
    const stored = JSON.parse(JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } })) as KubeObject;
    this.#bucket(type).set(idOf(stored.metadata.namespace, stored.metadata.name), stored);
    if (type.kind === "CustomResourceDefinition") this.types.define(stored);
    this.#announce(type, { type: old === undefined ? "ADDED" : "MODIFIED", object: stored, previous: old });
    return stored;
  }

  #remove(type: ResourceType, object: KubeObject): void {
    this.#version++;
    this.#bucket(type).delete(idOf(object.metadata.namespace, object.metadata.name));
    if (type.kind === "CustomResourceDefinition") this.#undefine(object);
    this.#announce(type, {
      type: "DELETED",
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } },
      previous: object,
    });
  }

  /** A definition takes its objects with it. */
  #undefine(crd: KubeObject): void {
    const group = textAt(crd, "spec", "group") ?? "";
    const plural = textAt(crd, "spec", "names", "plural") ?? "";
    this.#objects.delete(storageKey({ group, plural }));
    this.types.undefine(crd.metadata.name);
  }

  #announce(type: ResourceType, event: WatchEvent): void {
    const key = storageKey(type);
    this.#history.push({ version: this.#version, key, event });
    if (this.#history.length > HISTORY) this.#history = this.#history.slice(-HISTORY / 2);
    this.changed();
    for (const listener of [...this.#listeners]) listener(event, key);
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
    if (causes.length > 0) throw invalid(object.kind, type.group, object.metadata.name, causes);
  }

  #own(type: ResourceType, object: KubeObject, old: KubeObject | undefined, options: WriteOptions): void {
    const schema = schemaOf(type);
    const manager = options.manager ?? "unknown";
    const sub = options.subresource;
    const fieldsV1 = ownedFields(changedPart(object, old, sub) as JsonMap, schema, true);
    const others = (object.metadata.managedFields ?? []).filter((m) => !(m.manager === manager && m.operation === "Update" && m.subresource === sub));
    const mine = (object.metadata.managedFields ?? []).find((m) => m.manager === manager && m.operation === "Update" && m.subresource === sub);
    const combined = mine === undefined ? fieldsV1 : (merge(mine.fieldsV1, fieldsV1, undefined) as JsonMap);
    if (Object.keys(combined).length === 0) return;
    object.metadata.managedFields = [
      ...others,
      {
        manager,
        operation: "Update",
        apiVersion: apiVersionOf(type),
        time: this.now(),
        fieldsType: "FieldsV1",
        fieldsV1: combined,
        ...(sub ? { subresource: sub } : {}),
      },
    ];
  }

  #hasGeneration(type: ResourceType): boolean {
    return type.crd !== undefined || GENERATED.has(type.kind);
  }

  // ---- persistence

  save(): unknown {
    return { version: this.#version, objects: [...this.#objects.values()].flatMap((bucket) => [...bucket.values()]) };
  }

  restore(version: number, objects: readonly KubeObject[]): void {
    this.#version = version;
    const crds = objects.filter((object) => object.kind === "CustomResourceDefinition");
    for (const crd of crds) this.types.define(crd);
    for (const object of objects) {
      const type = this.types.byKind(object.apiVersion, object.kind);
      if (type !== undefined) this.#bucket(type).set(idOf(object.metadata.namespace, object.metadata.name), object);
    }
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

/** What the server gave a service stays when the writer does not name it. */
function keepAllocated(object: KubeObject, old: KubeObject): void {
  const spec = mapAt(object, "spec");
  const before = mapAt(old, "spec");
  for (const key of ["clusterIP", "clusterIPs", "healthCheckNodePort"])
    if (spec[key] === undefined && before[key] !== undefined && spec["type"] !== "ExternalName") spec[key] = before[key];
  for (const port of listAt(spec, "ports")) {
    const same = listAt(before, "ports").find((other) => other["port"] === port["port"] && other["protocol"] === port["protocol"]);
    if (port["nodePort"] === undefined && same?.["nodePort"] !== undefined) port["nodePort"] = same["nodePort"];
  }
}

/** The part of an object that a writer changed: all of it for a new one. */
function changedPart(object: KubeObject, old: KubeObject | undefined, subresource: string | undefined): unknown {
  if (subresource === "status") return { status: object["status"] };
  const { status: _status, ...rest } = object;
  if (old === undefined) return rest;
  const diff = (next: unknown, before: unknown): unknown => {
    if (!isMap(next) || !isMap(before)) return next;
    return Object.fromEntries(
      Object.entries(next)
        .filter(([key, value]) => !same(value, before[key]))
        .map(([key, value]) => [key, diff(value, before[key])]),
    );
  };
  return diff(rest, old);
}

function applyConflict(found: { manager: ManagedFields; field: string }[]): StatusError {
  const causes = found.map(({ manager, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with "${manager.manager}"${manager.operation === "Update" ? ` using ${manager.apiVersion}` : ""}`,
    field,
  }));
  const byManager = new Map<string, string[]>();
  for (const { message, field } of causes) byManager.set(message, [...(byManager.get(message) ?? []), field]);
  const texts = [...byManager].map(([message, fields]) =>
    fields.length === 1 ? `${message}: ${fields[0]}` : `${message}:\n${fields.map((f) => `- ${f}`).join("\n")}`,
  );
  return new StatusError(409, "Conflict", `Apply failed with ${causes.length} conflict${causes.length === 1 ? "" : "s"}: ${texts.join("\n")}`, { causes });
}
