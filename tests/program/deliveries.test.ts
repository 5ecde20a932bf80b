/**
 * Both ways of delivery end in the same objects: what the program of dev registers for its seven applications, applied as the provider does
 * it, and what `homelab render dev` writes, pushed to the lab's Git and synced by its Argo CD. Then an image goes on and back through Git.
 */
import { environmentObjects } from "../../components/platform/argo-cd/applications";
import type { KubeObject } from "../../lab/kubernetes";
import { at, listAt, textAt } from "../../lab/kubernetes/objects";
import { planEstate } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { manifestsFolder } from "../../stacks/plan/rendered-file";
import { ARGO_API, type ArgoCdWorld, inArgoCd, OWN, REPOSITORY } from "../support/argo-cd-world";
import { loadHomelab } from "../support/homelab";
import type { WorldCluster } from "../support/lab-world";
import { plain } from "../support/pulumi-mocks";
import { homelabRuns } from "../support/stack-run";

const OPTIONS = { repository: REPOSITORY, revision: "main", path: "gitops" };
const DELIVERED = new Set(["ConfigMap", "Service", "ServiceAccount", "Deployment", "PodDisruptionBudget", "Job", "VirtualService"]);
const runs = homelabRuns();
const plans = planEstate(loadHomelab());

let argo: ArgoCdWorld;
inArgoCd((made) => {
  argo = made;
});

/** Objects of applications by kind and name, as the program registers them. */
async function registered(apps: ReadonlySet<string>): Promise<KubeObject[]> {
  return (await runs.registeredBy("dev")).flatMap(({ type, inputs }) => {
    const [, group, kind] = /^kubernetes:(.+):(\w+)$/.exec(type) ?? [];
    const object = plain(inputs) as Record<string, unknown> & Pick<KubeObject, "metadata">;
    if (group === undefined || kind === undefined || !apps.has(object.metadata?.namespace ?? "")) return [];
    // The rest is the program's, whoever delivers: rules of the namespace, and its way to its Secrets.
    if (!DELIVERED.has(kind) || (kind === "ServiceAccount" && !apps.has(object.metadata.name))) return [];
    return [{ ...object, apiVersion: group.replace(/^core\//, ""), kind } as KubeObject];
  });
}

/** What a person would call the object: without what the API server and its writers note of it. */
function content({ apiVersion, kind, metadata: { name, namespace, labels, annotations = {} }, ...rest }: KubeObject): unknown {
  const own = Object.entries(annotations).filter(([key]) => !/^(argocd\.argoproj\.io|pulumi\.com|deployment\.kubernetes\.io)\//.test(key));
  const { status: _, ...fields } = rest;
  const text = JSON.stringify({ apiVersion, kind, name, namespace, labels, annotations: Object.fromEntries(own), ...fields });
  // A real API server keeps no empty list of a pod; the lab does.
  const isNone = (key: string, value: unknown): boolean => ["env", "volumes", "volumeMounts"].includes(key) && Array.isArray(value) && value.length === 0;
  return JSON.parse(text, (key, value: unknown) => {
    if (key === "clusterIP" || key === "clusterIPs") return "<given>";
    return isNone(key, value) ? undefined : value;
  }) as unknown;
}

const keyOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Secrets that pods name, as External Secrets would have made them; any value does. */
function giveSecrets(cluster: WorldCluster, objects: readonly KubeObject[]): void {
  const wanted = new Map<string, Set<string>>();
  const note = (namespace: string, name: unknown, key?: unknown): void => {
    const id = `${namespace}/${String(name)}`;
    wanted.set(id, new Set([...(wanted.get(id) ?? []), ...(typeof key === "string" ? [key] : [])]));
  };
  for (const object of objects.filter(({ kind }) => kind === "Deployment" || kind === "Job")) {
    const spec = at(object, "spec", "template", "spec");
    const namespace = object.metadata.namespace ?? "";
    for (const container of listAt(spec, "containers"))
      for (const variable of listAt(container, "env")) {
        const name = textAt(variable, "valueFrom", "secretKeyRef", "name");
        if (name !== undefined) note(namespace, name, at(variable, "valueFrom", "secretKeyRef", "key"));
      }
    for (const volume of listAt(spec, "volumes")) {
      const name = textAt(volume, "secret", "secretName");
      if (name === undefined) continue;
      note(namespace, name);
      for (const item of listAt(volume, "secret", "items")) note(namespace, name, item["key"]);
    }
  }
  for (const [id, keys] of wanted) {
    const [namespace = "", name = ""] = id.split("/");
    cluster.create({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, data: Object.fromEntries([...keys].map((key) => [key, "eA=="])) });
  }
}

test("direct and by Git: the same objects, field by field, in the order of waves; an image goes on and back by a commit", async () => {
  const { world, dev, git } = argo;
  const plan = plans.get("dev");
  if (plan === undefined) throw new Error("there is no stack dev");
  const apps = plan.apps.map(({ name }) => name);
  const files = new Map([...renderApps(plan, plans)].map(([file, text]) => [`gitops/dev/${file}`, text]));
  const root = environmentObjects({ environment: "dev", apps, byHand: false }, OPTIONS);
  for (const [file, text] of manifestsFolder("", "argo-cd", root)) files.set(`gitops/dev/${file}`, text);
  await git.push(Object.fromEntries(files));

  const direct = await world.cluster("direct", "192.168.1.19");
  const objects = await registered(new Set(apps));
  for (const cluster of [dev, direct]) {
    const base = { repository: "https://istio-release.storage.googleapis.com/charts", chart: "base", version: "1.30.3" };
    const { crds, manifests } = await world.render({ ...base, namespace: "istio-system" });
    for (const crd of [...crds, ...manifests]) if (crd.kind === "CustomResourceDefinition") cluster.create(crd);
    for (const app of apps) cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: app } });
    giveSecrets(cluster, objects);
  }
  const { store } = direct.cluster;
  for (const object of objects)
    store.apply(store.type(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name, object, { manager: "pulumi", force: false });

  const begin = argo.lastRecord();
  argo.project({ destinations: [{ server: OWN, namespace: "argocd" }] }, "applications");
  const source = { repoURL: REPOSITORY, path: "gitops/dev/argo-cd", targetRevision: "main" };
  argo.application({ project: "applications", source, destination: { server: OWN, namespace: "argocd" } }, "applications");
  await argo.ended("applications");
  for (const app of apps) await argo.ended(`${app}-dev`);
  await world.settled();
  for (const app of [...apps.map((name) => `${name}-dev`), "applications"])
    expect([app, argo.stateOf(app), argo.conditionsOf(app)]).toEqual([app, ["Synced", "Healthy", "Succeeded"], []]);

  const found = ({ apiVersion, kind, metadata }: KubeObject, cluster: WorldCluster) => cluster.find(apiVersion, kind, metadata.namespace, metadata.name);
  const contents = (cluster: WorldCluster) => Object.fromEntries(objects.map((object) => [keyOf(object), content(found(object, cluster) ?? object)]));
  expect(objects.length).toBeGreaterThan(4 * apps.length);
  expect(objects.filter((object) => found(object, dev) === undefined).map(keyOf)).toEqual([]);
  expect(contents(dev)).toEqual(contents(direct));
  // And Argo CD made nothing else.
  const tracked = dev.cluster.store.types
    .namespaced()
    .flatMap((type) => dev.cluster.store.list(type))
    .filter(
      (object) =>
        apps.includes(object.metadata.namespace ?? "") &&
        object.metadata.annotations?.["argocd.argoproj.io/tracking-id"] !== undefined &&
        object.kind !== "ReplicaSet",
    );
  expect(tracked.map(keyOf).toSorted()).toEqual(objects.map(keyOf).toSorted());

  const made = argo.writes(begin).filter((action) => action.includes(" writer/"));
  const place = (resource: string): number[] => made.flatMap((action, index) => (action.includes(` ${resource} `) ? [index] : []));
  expect(Math.max(...place("serviceaccounts"), ...place("configmaps"))).toBeLessThan(Math.min(...place("deployments"), ...place("services")));
  expect(Math.max(...place("deployments"), ...place("services"))).toBeLessThan(Math.min(...place("virtualservices")));

  const file = "gitops/dev/writer/manifests.yaml";
  const before = files.get(file) ?? "";
  const imageOf = () => textAt(dev.find("apps/v1", "Deployment", "writer", "writer"), "spec", "template", "spec", "containers", 0, "image");
  const former = imageOf() ?? "";
  const next = `registry.example.org/library/writer@sha256:${"2".repeat(64)}`;
  for (const [text, image] of [
    [before.replaceAll(former, next), next],
    [before, former],
  ] as const) {
    const commit = await git.push({ [file]: text });
    await argo.refresh("writer-dev");
    expect([imageOf(), argo.stateOf("writer-dev")]).toEqual([image, ["Synced", "Healthy", "Succeeded"]]);
    expect(listAt(dev.find(ARGO_API, "Application", "argocd", "writer-dev"), "status", "history").at(-1)?.["revision"]).toBe(commit);
  }
}, 120_000);
