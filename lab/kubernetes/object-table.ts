/** The objects of one cluster as they are kept: by kind and name, each change with its version and its event. */
import type { Clock } from "../../common/clock";
import { type KubeObject, textAt } from "./objects";
import { apiVersionOf, type ResourceType, ResourceTypes, storageKey } from "./resource-types";
import { noResource, notFound } from "./status";

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: KubeObject;
  /** The object before, for watchers that select. */
  previous: KubeObject | undefined;
}

type Listener = (event: WatchEvent, key: string) => void;

/** Events that a watch may still ask for. */
const HISTORY = 2_000;

const idOf = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`;

export class ObjectTable {
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

  /** Objects whose only owner is this one. */
  protected ownedBy({ metadata: { uid } }: KubeObject): { type: ResourceType; object: KubeObject }[] {
    const isOwned = ({ metadata: { ownerReferences = [] } }: KubeObject): boolean =>
      ownerReferences.length > 0 && ownerReferences.every((reference) => reference.uid === uid);
    return [...this.#objects].flatMap(([key, bucket]) =>
      [...bucket.values()].filter(isOwned).flatMap((object) => {
        const type = this.types.byKind(object.apiVersion, object.kind);
        return type === undefined || storageKey(type) !== key ? [] : [{ type, object }];
      }),
    );
  }

  protected put(type: ResourceType, object: KubeObject, old: KubeObject | undefined): KubeObject {
    this.#version++;
    const stored = JSON.parse(JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } })) as KubeObject;
    this.#bucket(type).set(idOf(stored.metadata.namespace, stored.metadata.name), stored);
    if (type.kind === "CustomResourceDefinition") this.types.define(stored);
    this.#announce(type, { type: old === undefined ? "ADDED" : "MODIFIED", object: stored, previous: old });
    return stored;
  }

  protected remove(type: ResourceType, object: KubeObject): void {
    this.#version++;
    this.#bucket(type).delete(idOf(object.metadata.namespace, object.metadata.name));
    if (type.kind === "CustomResourceDefinition") this.#undefine(object);
    this.#announce(type, {
      type: "DELETED",
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } },
      previous: object,
    });
  }

  /** A deleted definition deletes its objects. */
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
