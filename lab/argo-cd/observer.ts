/** The state of an Application by Git, its project and the clusters, or why it cannot be computed. */
import type { Kube } from "../controllers/kube";
import type { LabContext } from "../core/world";
import type { KubeObject } from "../kubernetes";
import { listAt } from "../kubernetes/objects";
import { ApiError, type ClusterClient } from "./cluster-client";
import { Clusters, UnknownCluster } from "./clusters";
import { type Compared, Comparisons, type Kind, NotManaged } from "./comparison";
import { ManifestError, type Rendered, renderFolder } from "./manifests";
import { type Project, refusedByProject } from "./project";
import { Repositories, RepositoryError } from "./repository";
import { type ApplicationSpec, ARGO_API, type Condition, NotModelled, parseStrictly, projectSchema, type Source, specSchema } from "./schema";
import type { Unmodelled } from "./unmodelled";

/** An Application by what Git, its project and its clusters say. */
export interface Seen {
  readonly spec: ApplicationSpec;
  readonly project: Project;
  readonly client: ClusterClient;
  readonly revision: string;
  readonly sourceType: string;
  readonly compared: Compared;
}

/** Errors of the Application, as conditions; with one, nothing is synced. */
export class Refused extends Error {
  constructor(
    readonly type: Condition["type"],
    readonly messages: readonly string[],
  ) {
    super(messages.join("; "));
  }
}

export class Observer {
  readonly #repositories: Repositories;
  readonly #clusters: Clusters;
  readonly #comparisons: Comparisons;
  /** By Application: the commit of its revision, and when Git was asked for it. */
  readonly #resolved = new Map<string, { source: string; commit: string; at: number }>();
  /** By Application: the objects of its folder at the commit that was looked at last. */
  readonly #rendered = new Map<string, { of: string; rendered: Rendered }>();

  /** @param home namespace of Argo CD while it runs */
  constructor(
    private readonly kube: Kube,
    private readonly ctx: LabContext,
    private readonly home: () => string | undefined,
    readonly unmodelled: Unmodelled,
  ) {
    this.#repositories = new Repositories(ctx, `${kube.cluster.name}/argocd-repo-server`);
    this.#clusters = new Clusters(kube, ctx);
    this.#comparisons = new Comparisons(kube);
  }

  stop(): void {
    this.#repositories.stop();
    this.#clusters.stop();
  }

  forget(app: string): void {
    this.#resolved.delete(app);
    this.#rendered.delete(app);
  }

  /** Turns an error that Argo CD would report in a condition into that condition. What the lab does not model is also noted as unhandled. */
  async attempt<T>(work: () => Promise<T> | T): Promise<T | Refused> {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof Refused) return thrown;
      if (thrown instanceof NotModelled) return new Refused("InvalidSpecError", [this.unmodelled.note(thrown.message)]);
      if (thrown instanceof UnknownCluster) return new Refused("InvalidSpecError", [thrown.message]);
      if (thrown instanceof RepositoryError || thrown instanceof ManifestError || thrown instanceof ApiError)
        return new Refused("ComparisonError", [`Failed to load target state: ${thrown.message}`]);
      if (thrown instanceof NotManaged) return new Refused("ComparisonError", [`Failed to load live state: ${thrown.message}`]);
      throw thrown;
    }
  }

  spec(app: KubeObject): ApplicationSpec {
    return parseStrictly(specSchema, app["spec"], "spec");
  }

  #project(name: string): Project {
    const found = this.kube.find(ARGO_API, "AppProject", this.home(), name);
    if (found === undefined) throw new Refused("InvalidSpecError", [`Application referencing project ${name} which does not exist`]);
    return { name, spec: parseStrictly(projectSchema, found["spec"] ?? {}, `AppProject ${name}.spec`) };
  }

  /** The commit of the wanted revision. Git is asked on request (`again`) and from time to time. */
  async #commit(app: string, source: Source, again: boolean): Promise<string> {
    const [key, now, pollMs] = [JSON.stringify(source), this.ctx.clock.now(), this.ctx.latency.of("argo-cd.poll")];
    const known = this.#resolved.get(app);
    const isFresh = known !== undefined && known.source === key && !again && (pollMs === 0 || now - known.at < pollMs);
    if (isFresh) return known.commit;
    const commit = await this.#resolve(source, source.targetRevision);
    this.#resolved.set(app, { source: key, commit, at: now });
    return commit;
  }

  #resolve({ repoURL }: Source, revision: string): Promise<string> {
    return this.#repositories.resolve(repoURL, revision, this.#clusters.credential(repoURL, this.home() ?? ""));
  }

  /** A commit's folder is read once: it does not change. */
  async #render(app: string, { repoURL, path }: Source, commit: string): Promise<Rendered> {
    const of = JSON.stringify([repoURL, path, commit]);
    const known = this.#rendered.get(app);
    if (known?.of === of) return known.rendered;
    const rendered = renderFolder(await this.#repositories.files(repoURL, commit, path));
    this.#rendered.set(app, { of, rendered });
    return rendered;
  }

  /** @param wanted another revision than that of the spec */
  async seen(app: KubeObject, spec: ApplicationSpec, wanted: string | undefined, again: boolean): Promise<Seen> {
    const { name } = app.metadata;
    const { source, destination } = spec;
    const project = this.#project(spec.project);
    const client = this.#clusters.find(destination, this.home() ?? "");
    const refused = refusedByProject(project, source, destination, client.access);
    if (refused.length > 0) throw new Refused("InvalidSpecError", refused);
    const revision = await (wanted === undefined ? this.#commit(name, source, again) : this.#resolve(source, wanted));
    const { objects, sourceType } = await this.#render(name, source, revision);
    const targets: KubeObject[] = [];
    for (const object of objects) targets.push(await this.#comparisons.target(name, destination.namespace, object, client));
    const compared = await this.#comparisons.compare(name, targets, client, where(app, spec, project));
    return { spec, project, client, revision, sourceType, compared };
  }

  /** Deletes the Application's objects. @returns how many still existed */
  async removeAll(app: KubeObject, spec: ApplicationSpec): Promise<number> {
    const client = this.#clusters.find(spec.destination, this.home() ?? "");
    const { resources } = await this.#comparisons.compare(app.metadata.name, [], client, where(app, spec, undefined));
    for (const { live } of resources) if (live !== undefined) await client.remove(live);
    return resources.length;
  }
}

/** Versions in which the kinds that a project may name are served. */
const VERSIONS: Readonly<Record<string, string>> = { "": "v1", apps: "apps/v1", autoscaling: "autoscaling/v2", batch: "batch/v1", policy: "policy/v1" };

/** Where another cluster is searched: kinds and namespaces of the spec, of the project, and of the objects in the status. */
function where(app: KubeObject, { destination }: ApplicationSpec, project: Project | undefined): { kinds: Kind[]; namespaces: string[] } {
  const before = listAt(app, "status", "resources");
  const versionOf = (group: string): string => VERSIONS[group] ?? `${group}/v1`;
  return {
    kinds: [
      ...(project?.spec.namespaceResourceWhitelist ?? []).map(({ group, kind }) => ({ apiVersion: versionOf(group), kind })),
      ...before.map(({ group, version, kind }) => ({
        apiVersion: group === undefined ? String(version) : `${String(group)}/${String(version)}`,
        kind: String(kind),
      })),
    ],
    namespaces: [...new Set([destination.namespace, ...before.map(({ namespace }) => namespace)].flatMap((name) => (typeof name === "string" ? [name] : [])))],
  };
}
