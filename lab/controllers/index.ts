/** Everything that runs inside a cluster: controllers, operators, and the programs behind some images. */
import type { LabContext } from "../core/world";
import type { Cluster, KubeObject } from "../kubernetes";
import { listAt, mapAt, textAt } from "../kubernetes/objects";
import { type S3Server, startS3 } from "../s3";
import { startVault, type VaultServer } from "../vault";
import { reconcileCertManager } from "./cert-manager";
import { ExternalSecretsController } from "./external-secrets";
import { Workloads } from "./workloads";

export interface Controllers {
  /** Local port behind a service of this cluster; undefined where nothing real stands behind it. */
  backend(namespace: string, service: string): { port: number } | undefined;
  /** Whether a service has a ready pod. */
  hasEndpoints(namespace: string, service: string): boolean;
  /** Data of the programs, for the snapshot. */
  save(): unknown;
  /** Resolves when nothing more changes by itself. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** How often operators look whether something is due (failed logins, refresh intervals). */
const TICK_MS = 1_000;

const imageOf = (pod: KubeObject): string => String(listAt(pod, "spec", "containers")[0]?.["image"] ?? "");

/** Programs that run for real behind their image; all other images only become ready. */
class Programs {
  readonly #vaults = new Map<string, VaultServer>();
  readonly #stores = new Map<string, S3Server>();
  readonly #starting = new Map<string, Promise<void>>();

  constructor(
    private readonly cluster: Cluster,
    private readonly ctx: LabContext,
    private readonly saved: Record<string, unknown>,
    private readonly changed: () => void,
  ) {}

  #key(pod: KubeObject): string {
    return `${pod.metadata.namespace}/${pod.metadata.name}`;
  }

  /** Data outlives pods: it belongs to the set (and so to its volume). */
  #dataKey(pod: KubeObject): string {
    return `${pod.metadata.namespace}/${imageOf(pod).split(":")[0]}`;
  }

  #run(pod: KubeObject, start: () => Promise<void>): void {
    const key = this.#key(pod);
    if (this.#starting.has(key)) return;
    this.#starting.set(
      key,
      start().then(() => {
        this.#starting.delete(key);
        this.changed();
      }),
    );
  }

  ready(pod: KubeObject): boolean {
    const image = imageOf(pod);
    const key = this.#key(pod);
    const saved = this.saved[this.#dataKey(pod)];
    const name = `${this.cluster.name}/${key}`;
    if (image.startsWith("hashicorp/vault:")) {
      const vault = this.#vaults.get(key);
      if (vault === undefined) {
        this.#run(pod, async () => {
          this.#vaults.set(key, await startVault(name, this.ctx, { ...(saved === undefined ? {} : { saved }), onSealChange: this.changed }));
        });
      }
      return vault !== undefined && !vault.sealed;
    }
    if (image.startsWith("quay.io/minio/minio:")) {
      const server = this.#stores.get(key);
      if (server === undefined) {
        this.#run(pod, async () => {
          this.#stores.set(
            key,
            await startS3(name, this.ctx, {
              ...(saved === undefined ? {} : { saved }),
              credentials: () => this.#rootUser(pod),
              buckets: ["pulumi-state", "loki", "teleport"],
            }),
          );
        });
      }
      return server !== undefined;
    }
    return true;
  }

  #rootUser(pod: KubeObject): { accessKey: string } | undefined {
    const secret = this.cluster.store.all("v1", "Secret", pod.metadata.namespace).find((s) => textAt(s, "data", "rootUser") !== undefined);
    const user = textAt(secret, "data", "rootUser");
    return user === undefined ? undefined : { accessKey: Buffer.from(user, "base64").toString("utf8") };
  }

  port(pod: KubeObject): number | undefined {
    return this.#vaults.get(this.#key(pod))?.port ?? this.#stores.get(this.#key(pod))?.port;
  }

  /** Ends programs whose pods are gone. */
  async sweep(): Promise<void> {
    const pods = new Set(this.cluster.store.all("v1", "Pod").map((pod) => this.#key(pod)));
    for (const servers of [this.#vaults, this.#stores]) {
      for (const [key, server] of servers) {
        if (pods.has(key)) continue;
        servers.delete(key);
        await server.stop();
      }
    }
  }

  save(): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    for (const pod of this.cluster.store.all("v1", "Pod")) {
      const server = this.#vaults.get(this.#key(pod)) ?? this.#stores.get(this.#key(pod));
      if (server !== undefined) kept[this.#dataKey(pod)] = server.save();
    }
    return kept;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#starting.values());
    for (const server of [...this.#vaults.values(), ...this.#stores.values()]) await server.stop();
  }
}

/** @param saved what `save` gave */
export function startControllers(cluster: Cluster, ctx: LabContext, saved?: unknown): Controllers {
  const { store } = cluster;
  let wanted = false;
  let running: Promise<void> = Promise.resolve();
  let active = false;
  let stopped = false;
  const programs = new Programs(cluster, ctx, (saved ?? {}) as Record<string, unknown>, () => wake());
  const workloads = new Workloads(cluster, (pod) => programs.ready(pod));
  const externalSecrets = new ExternalSecretsController(cluster, ctx);
  const isRunning = (image: string): boolean =>
    store
      .all("apps/v1", "Deployment")
      .some(
        (d) =>
          String(listAt(d, "spec", "template", "spec", "containers")[0]?.["image"] ?? "").includes(image) &&
          Number(mapAt(d, "status")["readyReplicas"] ?? 0) > 0,
      );

  const pass = async (): Promise<void> => {
    workloads.reconcile();
    await programs.sweep();
    if (isRunning("cert-manager-controller")) await reconcileCertManager(cluster, ctx);
    if (isRunning("external-secrets/external-secrets")) await externalSecrets.reconcile();
  };
  const loop = async (): Promise<void> => {
    while (wanted && !stopped) {
      wanted = false;
      try {
        await pass();
      } catch (thrown) {
        ctx.unhandled.add({ system: "controllers", target: cluster.name, what: `bug: ${thrown instanceof Error ? thrown.stack : String(thrown)}` });
      }
    }
    active = false;
  };
  const wake = (): void => {
    wanted = true;
    if (active || stopped) return;
    active = true;
    // After the request that changed something has been answered.
    running = new Promise((resolve) => setImmediate(() => void loop().then(resolve)));
  };
  const release = store.onChange(wake);
  const tick = setInterval(wake, TICK_MS);
  tick.unref();
  wake();

  const podsOf = (namespace: string, service: string): KubeObject[] => {
    const object = store.one("v1", "Service", namespace, service);
    const selector = mapAt(object, "spec", "selector");
    if (object === undefined || Object.keys(selector).length === 0) return [];
    return store.all("v1", "Pod", namespace).filter((pod) => Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value));
  };
  return {
    backend: (namespace, service) => {
      const port = podsOf(namespace, service)
        .map((pod) => programs.port(pod))
        .find((found) => found !== undefined);
      return port === undefined ? undefined : { port };
    },
    hasEndpoints: (namespace, service) => podsOf(namespace, service).length > 0,
    save: () => programs.save(),
    settled: () => running,
    stop: async () => {
      stopped = true;
      clearInterval(tick);
      release();
      await running;
      await programs.stop();
    },
  };
}
