/** Compares Git with the cluster: which objects differ, which are to be pruned, how healthy they are. */
import type { Kube } from "../controllers/kube";
import type { KubeObject } from "../kubernetes";
import { copy, groupOf, groupVersionOf, same } from "../kubernetes/objects";
import { ApiError, type ClusterClient } from "./cluster-client";
import { type HealthStatus, healthOf, worseOf } from "./health";
import { OWN_CLUSTER, PREFIX, type SyncPhase } from "./schema";
import type { Managed } from "./sync";
import { checkAnnotations, hookOf, waveOf } from "./tasks";

const TRACKING = `${PREFIX}/tracking-id`;

const trackingId = (app: string, object: KubeObject): string =>
  `${app}:${groupOf(object)}/${object.kind}:${object.metadata.namespace ?? ""}/${object.metadata.name}`;

/** The Application that an object belongs to, if any. An annotation that was copied from another object does not count. */
export function trackedBy(object: KubeObject): string | undefined {
  const id = object.metadata.annotations?.[TRACKING];
  const app = id?.split(":")[0];
  return app !== undefined && id === trackingId(app, object) ? app : undefined;
}

/** An object outside of what Argo CD manages in a cluster; the message is the Application's condition. */
export class NotManaged extends Error {}

/** gitops-engine/pkg/cache/cluster.go, GetManagedLiveObjs. @throws NotManaged */
function checkManaged({ kind, metadata: { name, namespace = "" } }: KubeObject, { access: { managed } }: ClusterClient): void {
  if (managed === undefined) return;
  if (namespace === "" && !managed.clusterResources) throw new NotManaged(`cluster level ${kind} "${name}" can not be managed when in namespaced mode`);
  if (namespace !== "" && !managed.namespaces.includes(namespace)) throw new NotManaged(`namespace "${namespace}" for ${kind} "${name}" is not managed`);
}

export interface Compared {
  readonly resources: readonly (Managed & { readonly synced: boolean })[];
  readonly hooks: readonly (Managed & { readonly phase: SyncPhase })[];
  /** Messages about objects that belong to another Application too. */
  readonly shared: readonly string[];
  readonly health: HealthStatus;
}

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What is in a cluster, as the controller knows it by its watches. */
interface LiveState {
  find(object: KubeObject): Promise<KubeObject | undefined>;
  /** All that is tracked as the Application's. */
  tracked(app: string): Promise<KubeObject[]>;
}

const ownState = (kube: Kube): LiveState => ({
  find: async ({ apiVersion, kind, metadata }) => kube.find(apiVersion, kind, metadata.namespace, metadata.name),
  tracked: async (app) => kube.store.types.namespaced().flatMap((type) => kube.store.list(type).filter((object) => trackedBy(object) === app)),
});

/** In another cluster it looks for objects of the kinds that the Application has, had, or may have, in its namespaces. */
const otherState = (client: ClusterClient, kinds: readonly Kind[], namespaces: readonly string[]): LiveState => ({
  find: ({ apiVersion, kind, metadata }) => client.find(apiVersion, kind, metadata.namespace, metadata.name),
  tracked: async (app) => {
    const found: KubeObject[] = [];
    for (const { apiVersion, kind } of kinds) {
      if ((await client.resource(apiVersion, kind)) === undefined) continue;
      for (const namespace of namespaces) found.push(...(await client.list(apiVersion, kind, namespace)).filter((object) => trackedBy(object) === app));
    }
    return found;
  },
});

const keyOf = (object: KubeObject): string => `${groupOf(object)}/${object.kind}/${object.metadata.namespace ?? ""}/${object.metadata.name}`;

const content = ({ status: _, metadata, ...rest }: KubeObject): unknown => {
  const { managedFields: _fields, resourceVersion: _version, generation: _generation, ...kept } = metadata;
  return { ...rest, metadata: kept };
};

export class Comparisons {
  /** Results by object: whether applying this target to this version of the live object changes nothing. */
  readonly #known = new Map<string, { target: string; version: string; synced: boolean }>();

  constructor(private readonly kube: Kube) {}

  /** An object of Git as it is applied: in its namespace, and marked as the Application's. @throws NotManaged */
  async target(app: string, namespace: string | undefined, given: KubeObject, client: ClusterClient): Promise<KubeObject> {
    checkAnnotations(given);
    const object = copy(given);
    const resource = await client.resource(object.apiVersion, object.kind);
    if (object.metadata.namespace === undefined && namespace !== undefined && resource?.namespaced !== false) object.metadata.namespace = namespace;
    checkManaged(object, client);
    object.metadata.annotations = { ...object.metadata.annotations, [TRACKING]: trackingId(app, object) };
    return object;
  }

  async #isSynced(target: KubeObject, live: KubeObject, client: ClusterClient): Promise<boolean> {
    const key = `${client.access.server} ${keyOf(target)}`;
    const [text, version] = [JSON.stringify(target), live.metadata.resourceVersion ?? ""];
    const known = this.#known.get(key);
    if (known?.target === text && known.version === version) return known.synced;
    let synced = false;
    try {
      synced = same(content(await client.apply(target, { dryRun: true })), content(live));
    } catch (thrown) {
      // The sync reports what is wrong with it.
      if (!(thrown instanceof ApiError)) throw thrown;
    }
    this.#known.set(key, { target: text, version, synced });
    return synced;
  }

  /**
   * @param targets as {@link target} gives them. @param where kinds and namespaces that are searched in another cluster as well
   * @throws ApiError, NotModelled
   */
  async compare(
    app: string,
    targets: readonly KubeObject[],
    client: ClusterClient,
    where: { kinds: readonly Kind[]; namespaces: readonly string[] },
  ): Promise<Compared> {
    const kinds = new Map([...where.kinds, ...targets].map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
    const state = client.access.server === OWN_CLUSTER ? ownState(this.kube) : otherState(client, [...kinds.values()], where.namespaces);
    const resources: (Managed & { synced: boolean })[] = [];
    const hooks: (Managed & { phase: SyncPhase })[] = [];
    const shared: string[] = [];
    for (const target of targets) {
      const live = await state.find(target);
      const phase = hookOf(target);
      if (phase !== undefined) {
        hooks.push({ target, live, phase });
        continue;
      }
      const other = live === undefined ? undefined : trackedBy(live);
      if (other !== undefined && other !== app) shared.push(`${target.kind}/${target.metadata.name} is part of applications ${app} and ${other}`);
      resources.push({ target, live, synced: live !== undefined && (await this.#isSynced(target, live, client)) });
    }
    const wanted = new Set(targets.map(keyOf));
    for (const live of await state.tracked(app))
      if (!wanted.has(keyOf(live)) && hookOf(live) === undefined) resources.push({ target: undefined, live, synced: false });
    return { resources, hooks, shared, health: healthOfAll(resources) };
  }
}

/** The worst health of the objects that exist; missing where none exists and one should. */
function healthOfAll(resources: readonly Managed[]): HealthStatus {
  const lives = resources.flatMap(({ live }) => (live === undefined ? [] : [live]));
  if (resources.length > 0 && lives.length === 0) return "Missing";
  return lives.reduce<HealthStatus>((worst, live) => worseOf(worst, healthOf(live)?.status ?? "Healthy"), "Healthy");
}

/** As `status.resources` of the Application has them. */
export const resourceStatuses = ({ resources, hooks }: Compared): Record<string, unknown>[] => {
  const named = (object: KubeObject): Record<string, unknown> => {
    const { group, version } = groupVersionOf(object.apiVersion);
    const { namespace, name } = object.metadata;
    const wave = waveOf(object);
    return {
      ...(group === "" ? {} : { group }),
      version,
      kind: object.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(wave === 0 ? {} : { syncWave: wave }),
    };
  };
  return [
    ...resources.flatMap(({ target, live, synced }) => {
      const object = target ?? live;
      return object === undefined
        ? []
        : [{ ...named(object), status: synced ? "Synced" : "OutOfSync", ...(target === undefined ? { requiresPruning: true } : {}) }];
    }),
    ...hooks.flatMap(({ target, live }) => (target === undefined || live === undefined ? [] : [{ ...named(target), hook: true }])),
  ].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
};
