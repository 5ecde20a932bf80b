/** External Secrets, while its Deployment runs: stores are validated, ExternalSecrets keep their Secrets. */
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { at, type JsonMap, listAt, mapAt, numberAt, textAt } from "../kubernetes/objects";
import { selects } from "../kubernetes/selectors";
import { conditionOf, encode64, hashOf, type Kube, ownerOf } from "./kube";
import type { WorkQueue } from "./queue";
import { NoEntry, NotModelled, readData, targetContent } from "./secret-data";
import { SecretStoreClient } from "./secret-store-client";

const VERSIONS = ["external-secrets.io/v1", "external-secrets.io/v1beta1"];
const STORES = ["ClusterSecretStore", "SecretStore"] as const;
/** Why an ExternalSecret without a Secret is ready. */
const DELETED = "SecretDeleted";
const HASH = "reconcile.external-secrets.io/data-hash";
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const REVALIDATE_MS = 300_000;

const message = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** A Go duration in milliseconds. */
function duration(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

export class ExternalSecrets {
  readonly #client: SecretStoreClient;
  /** Failures by key: how many in a row, and until when that generation is not tried again. */
  readonly #backoff = new Map<string, { failures: number; until: number; generation: number }>();
  /** Stores by key: the generation that was validated, and until when it needs no other validation. */
  readonly #valid = new Map<string, { generation: number; until: number }>();

  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly ctx: LabContext,
    private readonly active: () => boolean,
  ) {
    this.#client = new SecretStoreClient(kube, ctx);
    for (const kind of STORES) queue.on(kind, (namespace, name) => this.#store(kind, namespace, name));
    queue.on("ExternalSecret", (namespace, name) => this.#external(namespace, name));
    queue.on("ClusterExternalSecret", (_, name) => this.#clusterExternal(name));
  }

  stop(): void {
    this.#client.stop();
  }

  get #api(): string {
    return VERSIONS.find((version) => this.kube.store.types.byKind(version, "ExternalSecret") !== undefined) ?? "";
  }

  #all(kind: string): KubeObject[] {
    return this.kube.all(this.#api, kind);
  }

  /** Queues everything that it manages; called when it starts. */
  resync(): void {
    for (const kind of [...STORES, "ExternalSecret", "ClusterExternalSecret"])
      for (const { metadata } of this.#all(kind)) this.queue.add(kind, metadata.namespace, metadata.name);
  }

  /** A namespace was created, was deleted or has other labels. */
  namespaceChanged(): void {
    if (this.active()) for (const { metadata } of this.#all("ClusterExternalSecret")) this.queue.add("ClusterExternalSecret", undefined, metadata.name);
  }

  /** A Secret was deleted or changed: its controller restores it. */
  secretChanged(namespace: string | undefined, name: string): void {
    if (!this.active()) return;
    for (const external of this.#all("ExternalSecret"))
      if (external.metadata.namespace === namespace && targetOf(external) === name) this.queue.add("ExternalSecret", namespace, external.metadata.name);
  }

  /** Queues an object again after a delay, which grows with each failure. */
  #retry({ kind, metadata: { namespace, name, generation = 1 } }: KubeObject): void {
    const id = idOf(kind, namespace, name);
    const failures = (this.#backoff.get(id)?.failures ?? 0) + 1;
    const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
    this.#backoff.set(id, { failures, until: this.ctx.clock.now() + wait, generation });
    this.queue.after(wait, kind, namespace, name);
  }

  /** Whether it failed a moment ago; its own new status is no reason to try again. */
  #isHeld({ kind, metadata: { namespace, name, generation = 1 } }: KubeObject): boolean {
    const held = this.#backoff.get(idOf(kind, namespace, name));
    return held !== undefined && held.generation === generation && held.until > this.ctx.clock.now();
  }

  #note(thrown: unknown, what: string): void {
    if (thrown instanceof NotModelled)
      this.ctx.unhandled.add({ system: "external-secrets", target: this.kube.cluster.name, what: `${what}: ${thrown.message}` });
  }

  async #store(kind: (typeof STORES)[number], namespace: string | undefined, name: string): Promise<void> {
    const store = this.active() ? this.kube.find(this.#api, kind, namespace, name) : undefined;
    if (store === undefined || this.#isHeld(store)) return;
    const known = conditionOf(store, "Ready");
    const seen = numberAt(store, "metadata", "generation") ?? 1;
    const id = idOf(kind, namespace, name);
    const valid = this.#valid.get(id);
    if (known?.["status"] === "True" && valid?.generation === seen && valid.until > this.ctx.clock.now()) return;
    const login = namespace ?? SecretStoreClient.namespaceOf(store, SecretStoreClient.reference(store));
    try {
      // If the store's references name no namespace, each ExternalSecret logs in with an account of its own namespace: there is no login to try.
      if (login !== undefined) await (await this.#client.open(store, login)).close();
      this.#backoff.delete(id);
      this.#valid.set(id, { generation: seen, until: this.ctx.clock.now() + REVALIDATE_MS });
      this.#ready(store, "True", "Valid", "store validated", { capabilities: "ReadWrite" });
      this.queue.after(REVALIDATE_MS, kind, namespace, name);
    } catch (thrown) {
      this.#ready(store, "False", "InvalidProviderConfig", `unable to create client: ${message(thrown)}`);
      this.#retry(store);
    }
    for (const external of this.#all("ExternalSecret")) {
      const reference = mapAt(external, "spec", "secretStoreRef");
      if (textAt(reference, "name") === name && (textAt(reference, "kind") ?? "SecretStore") === kind) this.#wake(external);
    }
  }

  #wake({ kind, metadata }: KubeObject): void {
    this.#backoff.delete(idOf(kind, metadata.namespace, metadata.name));
    this.queue.add(kind, metadata.namespace, metadata.name);
  }

  #ready(object: KubeObject, status: "True" | "False", reason: string, text: string, more: JsonMap = {}): void {
    const live = this.kube.find(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
    if (live !== undefined)
      this.kube.status(live, { ...mapAt(live, "status"), ...more, conditions: [this.kube.condition(live, "Ready", status, reason, text)] });
  }

  /** The store of an ExternalSecret; undefined = it has not been looked at yet. @throws Error */
  #storeOf(external: KubeObject): KubeObject | undefined {
    const { namespace = "" } = external.metadata;
    const reference = mapAt(external, "spec", "secretStoreRef");
    const [kind, name] = [textAt(reference, "kind") ?? "SecretStore", textAt(reference, "name") ?? ""];
    const store = this.kube.find(this.#api, kind, kind === "SecretStore" ? namespace : undefined, name);
    if (store === undefined) throw new Error(`could not get ${kind} "${name}", ${kind.toLowerCase()}s.external-secrets.io "${name}" not found`);
    const conditions = listAt(store, "spec", "conditions");
    const labels = this.kube.find("v1", "Namespace", undefined, namespace)?.metadata.labels;
    const allowed = conditions.some((condition) => {
      const listed = at(condition, "namespaces");
      const selector = condition["namespaceSelector"];
      return (Array.isArray(listed) && listed.includes(namespace)) || (selector !== undefined && selects(mapAt(condition, "namespaceSelector"), labels));
    });
    if (conditions.length > 0 && !allowed)
      throw new Error(`using cluster store "${name}" is not allowed from namespace "${namespace}": denied by spec.condition`);
    const ready = conditionOf(store, "Ready");
    if (ready === undefined) return undefined;
    if (ready["status"] !== "True") throw new Error(`${kind} "${name}" is not ready`);
    return store;
  }

  /** Milliseconds until the next refresh; 0 = now. */
  #dueIn(external: KubeObject): number {
    const synced = textAt(external, "status", "syncedResourceVersion") === versionOf(external);
    const secret = this.kube.find("v1", "Secret", external.metadata.namespace, targetOf(external));
    const untouched = secret !== undefined && secret.metadata.annotations?.[HASH] === hashOf(mapAt(secret, "data"), 20);
    const interval = duration(textAt(external, "spec", "refreshInterval") ?? "1h");
    const creates =
      (textAt(external, "spec", "target", "creationPolicy") ?? "Owner") !== "None" && textAt(conditionOf(external, "Ready"), "reason") !== DELETED;
    if (!synced || (creates && !untouched)) return 0;
    if (interval === 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, Date.parse(textAt(external, "status", "refreshTime") ?? "") + interval - this.ctx.clock.now()) || 0;
  }

  async #external(namespace: string | undefined, name: string): Promise<void> {
    const external = this.active() ? this.kube.find(this.#api, "ExternalSecret", namespace, name) : undefined;
    if (external === undefined || namespace === undefined || external.metadata.deletionTimestamp !== undefined || this.#isHeld(external)) return;
    const wait = this.#dueIn(external);
    if (wait > 0) {
      if (Number.isFinite(wait)) this.queue.after(wait, "ExternalSecret", namespace, name);
      return;
    }
    try {
      const store = this.#storeOf(external);
      if (store === undefined) return;
      const session = await this.#client.open(store, namespace);
      let data: Record<string, string>;
      try {
        data = await readData(external, session);
      } finally {
        await session.close();
      }
      if (!this.kube.isAlive(namespace)) return;
      this.#write(external, data);
      this.#backoff.delete(idOf("ExternalSecret", namespace, name));
      this.#ready(external, "True", "SecretSynced", "Secret was synced", {
        binding: { name: targetOf(external) },
        ...this.#refreshed(external),
      });
    } catch (thrown) {
      this.#note(thrown, `ExternalSecret ${namespace}/${name}`);
      if (thrown instanceof NoEntry && textAt(external, "spec", "target", "deletionPolicy") === "Delete") {
        this.#remove(external);
        this.#backoff.delete(idOf("ExternalSecret", namespace, name));
        return;
      }
      this.#ready(external, "False", "SecretSyncedError", `could not get secret data from provider: ${message(thrown)}`);
      this.#retry(external);
    }
  }

  /** The entry does not exist and the deletion policy is Delete: it is ready without a Secret until the next refresh (markAsDone in its controller). */
  #remove(external: KubeObject): void {
    const secret = this.kube.find("v1", "Secret", external.metadata.namespace, targetOf(external));
    if (secret !== undefined) this.kube.remove(secret);
    this.#ready(external, "True", DELETED, "secret deleted due to DeletionPolicy", this.#refreshed(external));
  }

  #refreshed(external: KubeObject): JsonMap {
    return {
      refreshTime: new Date(this.ctx.clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z"),
      syncedResourceVersion: versionOf(external),
    };
  }

  #write(external: KubeObject, values: Readonly<Record<string, string>>): void {
    const { kube } = this;
    const { namespace = "" } = external.metadata;
    const policy = textAt(external, "spec", "target", "creationPolicy") ?? "Owner";
    if (policy === "None") return;
    const content = targetContent(external, values);
    const name = targetOf(external);
    const existing = kube.find("v1", "Secret", namespace, name);
    if (existing === undefined && policy === "Merge")
      throw new Error(`the desired secret ${name} was not found. With creationPolicy=Merge the secret won't be created`);
    const other = existing?.metadata.ownerReferences?.find(({ controller, uid }) => controller && uid !== external.metadata.uid);
    if (policy === "Owner" && other !== undefined)
      throw new Error(
        `could not set ExternalSecret controller reference: Object ${namespace}/${name} is already owned by another ${other.kind} controller ${other.name}`,
      );
    const encoded = Object.fromEntries(Object.entries(content.data).map(([key, value]) => [key, encode64(value)]));
    const data: JsonMap = policy === "Merge" ? { ...mapAt(existing, "data"), ...encoded } : encoded;
    const owned = policy === "Owner" ? { ownerReferences: [ownerOf(external)] } : {};
    const metadata = {
      labels: { ...(mapAt(content.metadata, "labels") as Record<string, string>), "reconcile.external-secrets.io/managed": "true" },
      annotations: { ...(mapAt(content.metadata, "annotations") as Record<string, string>), [HASH]: hashOf(data, 20) },
    };
    if (existing === undefined)
      kube.create({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace, ...metadata, ...owned }, type: content.type, data });
    else
      kube.modify(existing, (current) => ({
        ...current,
        data,
        metadata: {
          ...current.metadata,
          labels: { ...current.metadata.labels, ...metadata.labels },
          annotations: { ...current.metadata.annotations, ...metadata.annotations },
          ...owned,
        },
      }));
  }

  /** Puts its ExternalSecret into each namespace that it selects. */
  #clusterExternal(name: string): void {
    const { kube } = this;
    const cluster = this.active() ? kube.find(this.#api, "ClusterExternalSecret", undefined, name) : undefined;
    if (cluster === undefined) return;
    const secretName = textAt(cluster, "spec", "externalSecretName") ?? name;
    const listed = at(cluster, "spec", "namespaces");
    const selectors = [
      ...listAt(cluster, "spec", "namespaceSelectors"),
      ...(at(cluster, "spec", "namespaceSelector") === undefined ? [] : [mapAt(cluster, "spec", "namespaceSelector")]),
    ];
    const wanted = kube
      .all("v1", "Namespace")
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter(({ metadata }) => (Array.isArray(listed) && listed.includes(metadata.name)) || selectors.some((selector) => selects(selector, metadata.labels)))
      .map(({ metadata }) => metadata.name);
    const spec = mapAt(cluster, "spec", "externalSecretSpec");
    const { labels, annotations } = mapAt(cluster, "spec", "externalSecretMetadata") as {
      labels?: Record<string, string>;
      annotations?: Record<string, string>;
    };
    const failed: JsonMap[] = [];
    for (const namespace of wanted) {
      const existing = kube.find(this.#api, "ExternalSecret", namespace, secretName);
      const own = existing === undefined || existing.metadata.ownerReferences?.some(({ uid }) => uid === cluster.metadata.uid) === true;
      if (!own) failed.push({ namespace, reason: "external secret already exists in namespace" });
      else if (existing === undefined) {
        const metadata = {
          name: secretName,
          namespace,
          ownerReferences: [ownerOf(cluster)],
          ...(labels ? { labels } : {}),
          ...(annotations ? { annotations } : {}),
        };
        kube.create({ apiVersion: this.#api, kind: "ExternalSecret", metadata, spec });
      } else kube.modify(existing, (current) => ({ ...current, spec }));
    }
    for (const external of this.#all("ExternalSecret"))
      if (external.metadata.ownerReferences?.some(({ uid }) => uid === cluster.metadata.uid) && !wanted.includes(external.metadata.namespace ?? ""))
        kube.remove(external);
    const condition = kube.condition(cluster, "Ready", failed.length === 0 ? "True" : "False", "", failed.length === 0 ? "" : "one or more namespaces failed");
    kube.status(cluster, {
      conditions: [condition],
      externalSecretName: secretName,
      provisionedNamespaces: wanted.filter((namespace) => !failed.some((failure) => failure["namespace"] === namespace)),
      ...(failed.length > 0 ? { failedNamespaces: failed } : {}),
    });
  }
}

const idOf = (kind: string, namespace: string | undefined, name: string): string => `${kind}/${namespace ?? ""}/${name}`;

const targetOf = (external: KubeObject): string => textAt(external, "spec", "target", "name") ?? external.metadata.name;

/** Changes with spec, labels and annotations, and not with the status. */
const versionOf = (external: KubeObject): string =>
  `${external.metadata.generation ?? 1}-${hashOf([external.metadata.labels ?? {}, external.metadata.annotations ?? {}], 16)}`;
