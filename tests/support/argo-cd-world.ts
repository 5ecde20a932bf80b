/** Argo CD in a cluster of the lab, with a repository to which real git pushes, and helpers for its tests. */
import { stringify } from "yaml";
import type { KubeObject } from "../../lab/kubernetes";
import { listAt, textAt } from "../../lab/kubernetes/objects";
import type { LabGit } from "./lab-git";
import { inLabWorld, type LabWorld, type WorldCluster } from "./lab-world";

export const ARGO_API = "argoproj.io/v1alpha1";
export const REPOSITORY = "https://git.example.org/homelab.git";
export const OWN = "https://kubernetes.default.svc";
export const POLICY = { automated: { prune: true, selfHeal: true }, syncOptions: ["ServerSideApply=true"] };

/** Installs the chart's stand-in. The password of its cache is arbitrary. */
async function installArgoCd(world: LabWorld, cluster: WorldCluster): Promise<void> {
  await cluster.namespace("argocd");
  cluster.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "argocd-redis", namespace: "argocd" }, data: { auth: "eA==" } });
  const chart = { repository: "https://argoproj.github.io/argo-helm", chart: "argo-cd", version: "10.1.1" };
  const { manifests, crds } = await world.render({ ...chart, namespace: "argocd" });
  for (const object of [...crds, ...manifests]) if (object.kind !== "Job") cluster.create(object);
  await world.settled();
}

export const yaml = (...objects: object[]): string => objects.map((object) => stringify(object)).join("---\n");
/** @param annotations without `argocd.argoproj.io/` */
const metadata = (name: string, annotations: Readonly<Record<string, string>> = {}) => ({
  name,
  annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`argocd.argoproj.io/${key}`, value])),
});
export const configMap = (name: string, level: string, annotations?: Readonly<Record<string, string>>) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: metadata(name, annotations), data: { level } },
});
const podOf = (name: string, more: object = {}) => ({ metadata: { labels: { app: name } }, spec: { containers: [{ name, image: "busybox:1" }], ...more } });
export const hook = (name: string, when: string) => ({
  ...{ apiVersion: "batch/v1", kind: "Job", metadata: metadata(name, { hook: when, "hook-delete-policy": "BeforeHookCreation" }) },
  spec: { backoffLimit: 0, template: podOf(name, { restartPolicy: "Never" }) },
});
export const deployment = (name: string) => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: metadata(name, { "sync-wave": "0" }) },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: podOf(name) },
});

/** Helpers for one world. Each test of a file that calls {@link inArgoCd} has its own. */
export class ArgoCdWorld {
  constructor(
    readonly world: LabWorld,
    readonly dev: WorldCluster,
    readonly git: LabGit,
  ) {}

  project(spec: object = {}, name = "shop"): void {
    const everything = { sourceRepos: [REPOSITORY], destinations: [{ server: "*", namespace: "*" }], clusterResourceWhitelist: [] };
    this.dev.create({ apiVersion: ARGO_API, kind: "AppProject", metadata: { name, namespace: "argocd" }, spec: { ...everything, ...spec } });
  }

  application(spec: object = {}, name = "shop"): void {
    const source = { repoURL: REPOSITORY, path: "shop", targetRevision: "main" };
    this.dev.create({
      ...{ apiVersion: ARGO_API, kind: "Application", metadata: { name, namespace: "argocd" } },
      spec: { project: "shop", source, destination: { server: OWN, namespace: "shop" }, syncPolicy: POLICY, ...spec },
    });
  }

  found(kind: string, name: string, namespace = "argocd"): KubeObject | undefined {
    return this.dev.find(kind === "ConfigMap" ? "v1" : kind === "Job" ? "batch/v1" : ARGO_API, kind, namespace, name);
  }

  levelOf(name: string): string | undefined {
    return textAt(this.found("ConfigMap", name, "shop"), "data", "level");
  }

  /** Sync status, health status, and phase of the last operation of an Application. */
  stateOf(name = "shop"): (string | undefined)[] {
    const app = this.found("Application", name);
    return [textAt(app, "status", "sync", "status"), textAt(app, "status", "health", "status"), textAt(app, "status", "operationState", "phase")];
  }

  conditionsOf(name = "shop"): string[] {
    return listAt(this.found("Application", name), "status", "conditions").map(({ type, message }) => `${type}: ${message}`);
  }

  messageOf(name = "shop"): string | undefined {
    return textAt(this.found("Application", name), "status", "operationState", "message");
  }

  /** Asks Argo CD to look at Git now, as a webhook of the Git server does. */
  async refresh(name = "shop"): Promise<void> {
    const annotations = { "argocd.argoproj.io/refresh": "normal" };
    this.dev.modify(ARGO_API, "Application", "argocd", name, (object) => ({ ...object, metadata: { ...object.metadata, annotations } }));
    await this.ended(name);
  }

  /** Waits until an operation has ended. Pods of hooks take several rounds. */
  async ended(name = "shop"): Promise<void> {
    await this.world.settled();
    for (let turn = 0; turn < 1000 && this.stateOf(name)[2] === "Running"; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await this.world.settled();
    }
  }

  /** The writes to the API of the cluster `dev`, from the lab's records. */
  writes(since: number): string[] {
    const records = this.world.ctx.records.since(since);
    return records.flatMap(({ system, target, kind, action }) => (system === "kubernetes" && target === "dev" && kind === "write" ? [action] : []));
  }

  lastRecord(): number {
    return this.world.ctx.records.since().at(-1)?.seq ?? 0;
  }
}

/** Each test of the file has a cluster `dev` with Argo CD, an empty repository, and a namespace `shop`. */
export function inArgoCd(begin: (made: ArgoCdWorld) => void): void {
  inLabWorld(async ({ world, dev }) => {
    const git = await world.checkout(REPOSITORY);
    await installArgoCd(world, dev);
    await dev.namespace("shop");
    begin(new ArgoCdWorld(world, dev, git));
  });
}
