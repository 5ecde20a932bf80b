/**
 * Both ways of delivery give the same objects. One is what the program of dev registers for its seven applications, applied as the provider
 * does it. The other is what `homelab render dev` writes, pushed to the lab's Git and synced by its Argo CD. Then commits change an image and
 * change it back.
 */
import { parseAllDocuments } from "yaml";
import { openCluster } from "../../components/base/cluster-api";
import { environmentObjects } from "../../components/platform/argo-cd/applications";
import { ClusterClient } from "../../lab/argo-cd/cluster-client";
import type { KubeObject } from "../../lab/kubernetes";
import { at, listAt, textAt } from "../../lab/kubernetes/objects";
import type { Estate } from "../../stacks/load/estate";
import { planEstate, type StackPlan } from "../../stacks/plan/plan";
import { renderApps } from "../../stacks/plan/rendered-apps";
import { renderArgoCd } from "../../stacks/plan/rendered-argo-cd";
import { manifestsFolder } from "../../stacks/plan/rendered-file";
import { rolloutOf } from "../../stacks/probes/rollouts";
import { ARGO_API, type ArgoCdWorld, inArgoCd, OWN, REPOSITORY } from "../support/argo-cd-world";
import { content, deliveredObjects, keyOf } from "../support/delivered-objects";
import { loadHomelab } from "../support/homelab";
import type { WorldCluster } from "../support/lab-world";
import { only, plain, type Registered } from "../support/pulumi-mocks";
import { changedRuns, homelabRuns } from "../support/stack-run";
import { startVaultWorld } from "../support/vault-world";

const OPTIONS = { repository: REPOSITORY, revision: "main", path: "gitops" };
const runs = homelabRuns();
const plans = planEstate(loadHomelab());

let argo: ArgoCdWorld;
inArgoCd((made) => {
  argo = made;
});

/** Creates the Secrets that pods name, as External Secrets would. Any values suffice. */
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

/** The objects in files of Git. */
const objectsIn = (files: ReadonlyMap<string, string>): KubeObject[] =>
  [...files.values()].flatMap((text) => parseAllDocuments(text).map((document) => document.toJSON() as KubeObject));

test("direct and by Git: the same objects, field by field, in the order of waves; an image goes on and back by a commit", async () => {
  const { world, dev, git } = argo;
  const plan = plans.get("dev");
  if (plan === undefined) throw new Error("there is no stack dev");
  const apps = plan.apps.map(({ name }) => name);
  const files = new Map([...renderApps(plan, plans)].map(([file, text]) => [`gitops/dev/${file}`, text]));
  const root = environmentObjects({ environment: "dev", apps, server: OWN, byHand: false }, OPTIONS);
  for (const [file, text] of manifestsFolder("", "argo-cd", root)) files.set(`gitops/dev/${file}`, text);
  await git.push(Object.fromEntries(files));

  const direct = await world.cluster("direct", "192.168.1.19");
  const objects = deliveredObjects(await runs.registeredBy("dev"), new Set(apps));
  for (const cluster of [dev, direct]) {
    const base = { repository: "https://istio-release.storage.googleapis.com/charts", chart: "base", version: "1.30.3" };
    const { crds, manifests } = await world.render({ ...base, namespace: "istio-system" });
    for (const crd of [...crds, ...manifests]) if (crd.kind === "CustomResourceDefinition") cluster.create(crd);
    for (const app of apps) cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: app } });
    giveSecrets(cluster, objects);
  }
  const applyTo = ({ cluster: { store } }: WorldCluster, object: KubeObject) =>
    store.apply(store.type(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name, object, { manager: "pulumi", force: false });
  for (const object of objects) applyTo(direct, object);
  // The program has already deployed one of the applications; Argo CD takes it over.
  const handed = objects.filter(({ kind, metadata }) => metadata.namespace === "memorizer" && kind !== "Job");
  const uidsOf = () => handed.map((object) => [keyOf(object), dev.find(object.apiVersion, object.kind, "memorizer", object.metadata.name)?.metadata.uid]);
  for (const object of handed) applyTo(dev, object);
  await world.settled();
  const uids = uidsOf();
  expect(uids.filter(([, uid]) => typeof uid === "string").length).toBeGreaterThan(3);

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
  expect(uidsOf()).toEqual(uids);
  // Argo CD made no other objects.
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

  // The way back: an application that is removed from the set keeps running, and the program applies it again.
  const less = environmentObjects({ environment: "dev", apps: apps.filter((name) => name !== "memorizer"), server: OWN, byHand: false }, OPTIONS);
  await git.push(Object.fromEntries([...manifestsFolder("", "argo-cd", less)].map(([name, text]) => [`gitops/dev/${name}`, text])));
  await argo.refresh("applications");
  await world.settled();
  expect(dev.find(ARGO_API, "Application", "argocd", "memorizer-dev")).toBeUndefined();
  for (const object of handed) applyTo(dev, object);
  expect(uidsOf()).toEqual(uids);
  // The program cannot change a value that Argo CD still owns.
  const deployment = handed.find(({ kind }) => kind === "Deployment");
  if (deployment === undefined) throw new Error("memorizer has no Deployment");
  const image = JSON.parse(JSON.stringify(deployment).replaceAll(/"image":"[^"]+"/g, `"image":"${next}"`)) as KubeObject;
  expect(() => applyTo(dev, image)).toThrow(/argocd-controller/);
}, 120_000);

/** Applications of stg that the Argo CD of dev delivers in this homelab. */
const ELSEWHERE = ["enqueuer", "writer"];

/** dev's Argo CD delivers from a repository, its own and two applications of stg. */
function deliveredElsewhere(estate: Estate): Estate {
  const changed = (stack: Estate["stacks"][number]): Estate["stacks"][number] => {
    if (stack.name === "dev") return { ...stack, platform: { ...stack.platform, "argo-cd": { applications: { repository: REPOSITORY } } } };
    if (stack.name !== "stg") return stack;
    const apps = Object.entries(stack.apps).map(([name, app]) => [name, ELSEWHERE.includes(name) ? { ...app, delivery: "argo-cd" as const } : app]);
    return { ...stack, platform: { ...stack.platform, "argo-cd-access": { from: "dev" } }, apps: Object.fromEntries(apps) };
  };
  return { ...estate, stacks: estate.stacks.map(changed) };
}

/** The Kubernetes objects among what was registered, by the resources' names. */
function objectsOf(registered: readonly Registered[], wanted: (name: string) => boolean): KubeObject[] {
  return registered.flatMap(({ type, name, inputs }) => {
    const [, group, kind = ""] = /^kubernetes:(.+):(\w+)$/.exec(type) ?? [];
    if (group === undefined || !wanted(name) || group === "helm.sh/v3") return [];
    return [{ ...(plain(inputs) as object), apiVersion: group.replace(/^core\//, ""), kind } as KubeObject];
  });
}

test("stg by the Argo CD of dev: its account's token comes by Vault and External Secrets, does its job, and reaches nothing else", async () => {
  const { world, dev, git } = argo;
  const elsewhere = changedRuns(deliveredElsewhere);
  const changedPlans = planEstate(deliveredElsewhere(loadHomelab()));
  const planOf = (name: string): StackPlan => {
    const plan = changedPlans.get(name);
    if (plan === undefined) throw new Error(`there is no stack ${name}`);
    return plan;
  };
  const [cluster] = planOf("dev").platform.place.deliversTo;
  if (cluster === undefined) throw new Error("dev delivers to no other cluster");
  expect(cluster).toMatchObject({ stack: "stg", namespaces: ELSEWHERE });
  const [ofDev, ofStg] = [(await elsewhere.run("dev")).registered, (await elsewhere.run("stg")).registered];
  const grantOf = (stack: string) => planOf("tools").grants.find((grant) => grant.stack === stack);
  const [devGrant, stgGrant] = [grantOf("dev"), grantOf("stg")];
  if (devGrant === undefined || stgGrant === undefined) throw new Error("a stack has no grant");

  const { hostname } = new URL(cluster.server);
  const stg = await world.cluster("stg", hostname);
  const vault = await startVaultWorld(world, planOf("dev").site.vaultAddress);
  try {
    // dev: Vault knows its cluster, External Secrets runs, and Argo CD has what the program registers beside its chart.
    for (const object of objectsOf(ofDev, (name) => name.startsWith("cluster-access-vault-access"))) dev.create(object);
    await world.settled();
    const tokenIn = (of: WorldCluster, namespace: string, name: string): string =>
      Buffer.from(textAt(of.find("v1", "Secret", namespace, name), "data", "token") ?? "", "base64").toString("utf8");
    const reviewer = tokenIn(dev, "vault-access", "vault-token-reviewer");
    await vault.letIn(devGrant, { host: `https://${dev.cluster.address}:6443`, ca: dev.cluster.caPem, reviewer });
    const externalSecrets = only(ofDev, "kubernetes:helm.sh/v3:Release", "external-secrets-release").inputs as { version: string };
    await dev.install("https://charts.external-secrets.io", "external-secrets", externalSecrets.version);
    const ofArgoCd = new Set(["argo-cd-secrets-reader", "argo-cd-secrets-store", "argo-cd-secrets-cluster-stg", "argo-cd-stg-project", "argo-cd-stg-root"]);
    for (const object of objectsOf(ofDev, (name) => ofArgoCd.has(name))) dev.create(object);
    const files = new Map([...renderApps(planOf("stg"), changedPlans), ...renderArgoCd(planOf("stg"), changedPlans)]);
    await git.push(Object.fromEntries([...files].map(([file, text]) => [`gitops/stg/${file}`, text])));
    await argo.refresh("applications-stg");
    const readiness = () => listAt(dev.find("external-secrets.io/v1", "ExternalSecret", "argocd", "cluster-stg"), "status", "conditions")[0];

    // stg is not built yet. That is no error in dev, and the Applications for stg say what they wait for.
    expect([readiness()?.["status"], readiness()?.["reason"]]).toEqual(["True", "SecretDeleted"]);
    expect(argo.conditionsOf("writer-stg")).toEqual([`InvalidSpecError: cluster "${cluster.server}" not found`]);

    // stg is built: namespaces, the account with its rights, and its entry in Vault, by the stack's own token.
    const ofStgNames = (name: string): boolean =>
      name.startsWith("argo-cd-access") || ELSEWHERE.some((app) => name === `${app}-ns-namespace` || name.startsWith(`${app}-delivery`));
    for (const object of objectsOf(ofStg, ofStgNames)) stg.create(object);
    expect(objectsOf(ofStg, (name) => ELSEWHERE.some((app) => name === `${app}-deployment`))).toEqual([]);
    giveSecrets(
      stg,
      objectsIn(files).filter(({ metadata }) => ELSEWHERE.includes(metadata?.namespace ?? "")),
    );
    await world.settled();
    const entry = plain(only(ofStg, "vault:kv/secretV2:SecretV2", "argo-cd-access-entry-clusters-stg-argo-cd").inputs) as { name: string; dataJson: string };
    expect(Object.keys(JSON.parse(entry.dataJson) as object)).toEqual(["token", "caData"]);
    const token = tokenIn(stg, "argo-cd-access", "argo-cd");
    const data = { token, caData: Buffer.from(stg.cluster.caPem).toString("base64") };
    const stgToken = await vault.tokenOf(stgGrant);
    expect((await vault.call("POST", `kv/data/${entry.name}`, { data }, stgToken)).status).toBe(200);
    dev.modify("external-secrets.io/v1", "ExternalSecret", "argocd", "cluster-stg", (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { "force-sync": "1" } },
    }));
    await world.settled();
    expect([readiness()?.["status"], readiness()?.["reason"]]).toEqual(["True", "SecretSynced"]);

    for (const app of ELSEWHERE) {
      await argo.refresh(`${app}-stg`);
      expect([app, argo.conditionsOf(`${app}-stg`), argo.stateOf(`${app}-stg`)]).toEqual([app, [], ["Synced", "Healthy", "Succeeded"]]);
    }
    // A pushed commit is delivered, and its status is reported as for dev itself.
    const file = "gitops/stg/writer/manifests.yaml";
    const text = files.get("writer/manifests.yaml") ?? "";
    const former = /image: (\S+)/.exec(text)?.[1] ?? "";
    const next = `registry.example.org/library/writer@sha256:${"2".repeat(64)}`;
    await git.push({ [file]: text.replaceAll(former, next) });
    await argo.refresh("writer-stg");
    const local = world.ctx.network.resolve(hostname, 6443)?.port;
    const api = openCluster(stg.cluster.adminKubeconfig({ server: `https://127.0.0.1:${local}` }));
    try {
      expect(await rolloutOf(api, { name: "writer", image: next })).toMatchObject({ state: "done" });
    } finally {
      await api.close();
    }

    // Whoever steals the token can do no more than the delivery needs.
    const client = new ClusterClient(world.ctx, { name: "stg", server: cluster.server, caPem: stg.cluster.caPem, token: () => token });
    const may = (work: Promise<unknown>): Promise<string> =>
      work.then(() => "yes").catch((thrown: Error) => (/forbidden/.test(thrown.message) ? "no" : thrown.message));
    const configMap = (namespace: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "taken", namespace } }) as KubeObject;
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "taken", namespace: "writer" },
      rules: [],
    } as unknown as KubeObject;
    expect({
      own: await may(client.list("v1", "ConfigMap", "writer")),
      secrets: await may(client.list("v1", "Secret", "writer")),
      otherNamespace: await may(client.apply(configMap("memorizer"))),
      system: await may(client.list("v1", "Pod", "kube-system")),
      namespaces: await may(client.find("v1", "Namespace", undefined, "writer")),
      rights: await may(client.apply(role)),
      dev: await may(
        new ClusterClient(world.ctx, { ...client.access, server: `https://${dev.cluster.address}:6443`, caPem: dev.cluster.caPem }).list(
          "v1",
          "ConfigMap",
          "shop",
        ),
      ),
    }).toEqual({ own: "yes", secrets: "no", otherNamespace: "no", system: "no", namespaces: "no", rights: "no", dev: expect.stringContaining("Unauthorized") });
    client.stop();
    // No other namespace of dev, and no other stack, can read the entry.
    expect(devGrant.namespaces.filter(({ paths }) => paths.includes(entry.name)).map(({ namespace }) => namespace)).toEqual(["argocd"]);
    expect((await vault.call("GET", `kv/data/${entry.name}`, undefined, await vault.tokenOf(devGrant))).status).toBe(403);

    // stg is taken down: dev forgets its cluster, and what runs there is left alone.
    await vault.call("DELETE", `kv/metadata/${entry.name}`, undefined, stgToken);
    dev.modify("external-secrets.io/v1", "ExternalSecret", "argocd", "cluster-stg", (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { "force-sync": "2" } },
    }));
    await world.settled();
    expect(dev.find("v1", "Secret", "argocd", "cluster-stg")).toBeUndefined();
    expect(stg.find("apps/v1", "Deployment", "writer", "writer")).toBeDefined();
  } finally {
    await vault.stop();
  }
}, 120_000);
