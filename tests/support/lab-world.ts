import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Artefacts, startArtefacts } from "../../lab/artefacts";
import { type Controllers, startControllers } from "../../lab/controllers";
import { type RunningCluster, startIngress } from "../../lab/controllers/ingress";
import { type ContextOptions, createContext, type OwnedContext } from "../../lab/core/context";
import { type Fetched, type FetchRequest, fetchFromLab } from "../../lab/core/fetch";
import type { Stoppable } from "../../lab/core/world";
import { startConnectProxy } from "../../lab/gateway";
import { GitHost } from "../../lab/git";
import { type Cluster, type KubeObject, startCluster } from "../../lab/kubernetes";
import { LabGit } from "./lab-git";

const GIT_CREDENTIAL = { username: "lab", password: "lab-only" };

/** The inside of the lab without VMs: clusters, their controllers, routes to them, and the charts' stand-ins. */
export class LabWorld {
  readonly running: RunningCluster[] = [];
  readonly #checkouts: LabGit[] = [];
  #proxy: (Stoppable & { port: number }) | undefined;

  private constructor(
    readonly ctx: OwnedContext,
    private readonly artefacts: Artefacts,
    private readonly folder: string,
    private ingress: Stoppable | undefined,
  ) {}

  static async start(options: ContextOptions = {}): Promise<LabWorld> {
    const ctx = await createContext(options);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-lab-world-"));
    const world = new LabWorld(ctx, await startArtefacts(ctx, new GitHost(ctx, folder, GIT_CREDENTIAL)), folder, undefined);
    world.ingress = await startIngress(ctx, () => world.running);
    return world;
  }

  async stop(): Promise<void> {
    for (const { cluster, controllers } of this.running.splice(0)) {
      await controllers.stop();
      await cluster.stop();
    }
    await this.ingress?.stop();
    await this.artefacts.stop();
    await this.#proxy?.stop();
    for (const checkout of this.#checkouts.splice(0)) checkout.remove();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** A checkout of a Git repository of the lab, which is created if it does not exist. @param password for pushes; default: the right one */
  async checkout(url: string, password = GIT_CREDENTIAL.password): Promise<LabGit> {
    await this.artefacts.addRepositories([url]);
    this.#proxy ??= await startConnectProxy(this.ctx, 0);
    const proxy = `http://127.0.0.1:${this.#proxy.port}`;
    const checkout = await LabGit.clone(url, { proxy, caPem: this.ctx.tls.caPem, credential: { ...GIT_CREDENTIAL, password } });
    this.#checkouts.push(checkout);
    return checkout;
  }

  async cluster(name: string, address: string, saved?: { cluster: unknown; controllers: unknown }): Promise<WorldCluster> {
    const cluster = await startCluster({ name, address, node: `k8s-${name}`, ctx: this.ctx, ...(saved ? { saved: saved.cluster } : {}) });
    const controllers = startControllers(cluster, this.ctx, saved?.controllers);
    const world = new WorldCluster(this, cluster, controllers);
    this.running.push(world);
    await this.settled();
    return world;
  }

  /** Stops a cluster. @returns its saved state, to start it again */
  async shutDown(cluster: WorldCluster): Promise<{ cluster: unknown; controllers: unknown }> {
    const saved = JSON.parse(JSON.stringify({ cluster: cluster.cluster.save(), controllers: cluster.controllers.save() })) as {
      cluster: unknown;
      controllers: unknown;
    };
    this.running.splice(this.running.indexOf(cluster), 1);
    await cluster.controllers.stop();
    await cluster.cluster.stop();
    return saved;
  }

  get chartStandIn(): string {
    return this.artefacts.chartStandIn;
  }

  /** Waits until no controller has anything to do. */
  async settled(): Promise<void> {
    for (let rounds = 0; rounds < 3; rounds++) for (const { controllers } of this.running) await controllers.settled();
  }

  fetch(url: string, request?: FetchRequest): Promise<Fetched> {
    return fetchFromLab(this.ctx, "test", new URL(url), request);
  }

  async render(body: {
    repository: string;
    chart: string;
    version: string;
    namespace: string;
    values?: unknown;
  }): Promise<{ manifests: KubeObject[]; crds: KubeObject[] }> {
    const response = await fetch(`${this.artefacts.chartStandIn}/render`, {
      method: "POST",
      body: JSON.stringify({ releaseName: body.chart, kubeVersion: "v1.36.2+k3s1", ...body }),
    });
    if (response.status !== 200) throw new Error(await response.text());
    return (await response.json()) as { manifests: KubeObject[]; crds: KubeObject[] };
  }
}

/** One cluster, with helpers for tests. */
export class WorldCluster implements RunningCluster {
  constructor(
    private readonly world: LabWorld,
    readonly cluster: Cluster,
    readonly controllers: Controllers,
  ) {}

  create(object: Omit<KubeObject, "metadata"> & { metadata: object }): KubeObject {
    const { store } = this.cluster;
    const given = object as unknown as KubeObject;
    return store.create(store.type(given.apiVersion, given.kind), given.metadata.namespace, given, { manager: "test" }).object;
  }

  modify(apiVersion: string, kind: string, namespace: string | undefined, name: string, edit: (object: KubeObject) => KubeObject): void {
    const { store } = this.cluster;
    store.modify(store.type(apiVersion, kind), namespace, name, edit, { manager: "test" });
  }

  remove(apiVersion: string, kind: string, namespace: string | undefined, name: string): void {
    const { store } = this.cluster;
    store.delete(store.type(apiVersion, kind), namespace, name);
  }

  find(apiVersion: string, kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.cluster.store.one(apiVersion, kind, namespace, name);
  }

  all(apiVersion: string, kind: string, namespace?: string): KubeObject[] {
    return this.cluster.store.all(apiVersion, kind, namespace);
  }

  async namespace(name: string, labels: Record<string, string> = {}): Promise<void> {
    this.create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await this.world.settled();
  }

  /** Installs a chart's stand-in as the provider does. */
  async install(repository: string, chart: string, version: string, values: unknown = {}, namespace = chart): Promise<void> {
    await this.namespace(namespace);
    const { manifests, crds } = await this.world.render({ repository, chart, version, namespace, values });
    for (const object of [...crds, ...manifests]) this.create(object);
    await this.world.settled();
  }
}

/**
 * Gives each test of the file a new world with the cluster `dev`. A test fails if it makes a call that the lab does not model.
 * @param begin runs before each test
 */
export function inLabWorld(begin: (made: { world: LabWorld; dev: WorldCluster }) => void | Promise<void>): void {
  let world: LabWorld;
  beforeEach(async () => {
    world = await LabWorld.start();
    await begin({ world, dev: await world.cluster("dev", "192.168.1.12") });
  });
  afterEach(async () => {
    await world.stop();
    expect(world.ctx.unhandled.all()).toEqual([]);
  });
}
