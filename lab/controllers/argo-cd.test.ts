/** Argo CD in the lab: what it syncs from a repository that real git pushes to, in which order, and what it refuses by name. */

import { ARGO_API, type ArgoCdWorld, configMap, deployment, hook, inArgoCd, OWN, POLICY, REPOSITORY, yaml } from "../../tests/support/argo-cd-world";
import { at, listAt, mapAt, textAt } from "../kubernetes/objects";

let argo: ArgoCdWorld;
inArgoCd((made) => {
  argo = made;
});

test("hooks and waves come in order, the second time the hooks' Jobs are made anew, and removed objects are pruned last", async () => {
  const first = await argo.git.push({
    "shop/kustomization.yaml": yaml({ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: ["manifests.yaml"] }),
    "shop/manifests.yaml": yaml(
      configMap("last", "1", { "sync-wave": "1" }),
      deployment("web"),
      configMap("config", "1", { "sync-wave": "-1" }),
      hook("migrate", "PreSync"),
      hook("smoke", "PostSync"),
    ),
  });
  argo.project();
  const begin = argo.lastRecord();
  argo.application({ syncPolicy: { ...POLICY, syncOptions: ["ServerSideApply=true", "PruneLast=true"] } });
  await argo.ended();
  expect([argo.stateOf(), argo.conditionsOf()]).toEqual([["Synced", "Healthy", "Succeeded"], []]);
  expect(argo.writes(begin)).toEqual([
    "apply batch/v1 jobs shop/migrate",
    "apply v1 configmaps shop/config",
    "apply apps/v1 deployments shop/web",
    "apply v1 configmaps shop/last",
    "apply batch/v1 jobs shop/smoke",
  ]);
  expect(argo.found("Application", "shop")).toMatchObject({
    status: {
      sourceType: "Kustomize",
      history: [{ id: 0, revision: first, initiatedBy: { automated: true } }],
      operationState: { message: "successfully synced (no more tasks)", syncResult: { revision: first } },
      summary: { images: ["busybox:1"] },
    },
  });
  const job = argo.found("Job", "migrate", "shop")?.metadata.uid;

  await argo.git.push({ "shop/manifests.yaml": yaml(configMap("other", "2"), deployment("web"), hook("migrate", "PreSync")) });
  const again = argo.lastRecord();
  await argo.refresh();
  await argo.ended();
  expect([argo.stateOf(), argo.messageOf()]).toEqual([["Synced", "Healthy", "Succeeded"], "successfully synced (all tasks run)"]);
  expect(argo.found("Job", "migrate", "shop")?.metadata.uid).not.toBe(job);
  expect(argo.writes(again)).toEqual([
    "delete batch/v1 jobs shop/migrate",
    "apply batch/v1 jobs shop/migrate",
    "apply v1 configmaps shop/other",
    // Pruned objects, in the reverse order of their waves, all of them at the end.
    "delete v1 configmaps shop/config",
    "delete v1 configmaps shop/last",
  ]);
});

test("what somebody changes or removes is restored from Git, and no hooks run", async () => {
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1"), configMap("extra", "1"), hook("migrate", "PreSync")) });
  argo.project();
  argo.application();
  await argo.ended();
  const begin = argo.lastRecord();
  argo.dev.modify("v1", "ConfigMap", "shop", "config", (object) => ({ ...object, data: { level: "by hand" } }));
  await argo.ended();
  expect([argo.levelOf("config"), argo.stateOf()]).toEqual(["1", ["Synced", "Healthy", "Succeeded"]]);
  expect(argo.writes(begin)).toEqual(["apply v1 configmaps shop/config"]);
  expect(listAt(argo.found("Application", "shop"), "status", "history")).toHaveLength(1);
});

test("by hand: nothing happens until somebody asks, and then once", async () => {
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")) });
  argo.project();
  argo.application({ syncPolicy: { syncOptions: POLICY.syncOptions } });
  await argo.world.settled();
  expect([argo.stateOf(), argo.levelOf("config")]).toEqual([["OutOfSync", "Missing", undefined], undefined]);
  const ask = (sync: object) =>
    argo.dev.modify(ARGO_API, "Application", "argocd", "shop", (object) => ({ ...object, operation: { initiatedBy: { username: "person" }, sync } }));
  ask({ syncOptions: POLICY.syncOptions });
  await argo.ended();
  expect([argo.stateOf(), argo.levelOf("config"), argo.found("Application", "shop")?.["operation"]]).toEqual([
    ["Synced", "Healthy", "Succeeded"],
    "1",
    undefined,
  ]);
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "2")) });
  await argo.refresh();
  expect([argo.stateOf()[0], argo.levelOf("config")]).toEqual(["OutOfSync", "1"]);
});

test("a project refuses kinds and namespaces, and nothing is applied; Argo CD says so, and does not try again for ever", async () => {
  const elsewhere = { ...configMap("config", "1"), metadata: { name: "config", namespace: "other" } };
  await argo.git.push({ "shop/a.yaml": yaml(configMap("fine", "1"), elsewhere), "new/a.yaml": yaml(configMap("fine", "1")) });
  const cases: [name: string, project: object, spec: object, options: string[], message: string][] = [
    ["kind", { namespaceResourceWhitelist: [{ group: "", kind: "Secret" }] }, {}, [], "resource :ConfigMap is not permitted in project kind"],
    ["namespace", { destinations: [{ server: OWN, namespace: "shop" }] }, {}, [], "namespace other is not permitted in project 'namespace'"],
    // Argo CD refuses this too: if the namespace is missing, CreateNamespace makes an object of a cluster-scoped kind.
    [
      "made",
      {},
      { destination: { server: OWN, namespace: "new" }, source: { repoURL: REPOSITORY, path: "new", targetRevision: "main" } },
      ["CreateNamespace=true"],
      "resource :Namespace is not permitted in project made",
    ],
  ];
  for (const [name, spec, more, options] of cases) {
    argo.project(spec, name);
    argo.application({ ...more, project: name, syncPolicy: { ...POLICY, syncOptions: [...POLICY.syncOptions, ...options], retry: { limit: 0 } } }, name);
  }
  await argo.world.settled();
  for (const [name, , , , message] of cases) {
    expect([name, argo.stateOf(name)[2], argo.messageOf(name)]).toEqual([
      name,
      "Failed",
      expect.stringContaining("one or more synchronization tasks are not valid"),
    ]);
    const results = listAt(argo.found("Application", name), "status", "operationState", "syncResult", "resources").map((result) => result["message"]);
    expect(results).toContain(message);
    expect(argo.conditionsOf(name)[0]).toContain("SyncError: Failed last sync attempt");
  }
  expect([argo.levelOf("fine"), argo.dev.find("v1", "Namespace", undefined, "new")]).toEqual([undefined, undefined]);
});

test("CreateNamespace leaves an existing namespace alone, and makes a missing one if the project allows it", async () => {
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")) });
  argo.project();
  argo.application({ syncPolicy: { ...POLICY, syncOptions: [...POLICY.syncOptions, "CreateNamespace=true"] } });
  argo.project({ clusterResourceWhitelist: [{ group: "", kind: "Namespace", name: "new" }] }, "wide");
  const policy = { ...POLICY, syncOptions: [...POLICY.syncOptions, "CreateNamespace=true"] };
  argo.application({ project: "wide", destination: { server: OWN, namespace: "new" }, syncPolicy: policy }, "other");
  await argo.ended("other");
  expect([argo.stateOf(), argo.stateOf("other")]).toEqual(Array(2).fill(["Synced", "Healthy", "Succeeded"]));
  expect(argo.dev.find("v1", "Namespace", undefined, "new")?.metadata.annotations).toBeUndefined();
});

test("an Application that cannot be loaded says why", async () => {
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")) });
  argo.project();
  const of = (source: object) => ({ source: { repoURL: REPOSITORY, path: "shop", targetRevision: "main", ...source } });
  const cases: Record<string, [object, string]> = {
    repository: [of({ repoURL: "https://git.example.org/other.git" }), "InvalidSpecError: application repo https://git.example.org/other.git is not permitted"],
    project: [{ project: "none" }, "InvalidSpecError: Application referencing project none which does not exist"],
    cluster: [{ destination: { name: "stg", namespace: "shop" } }, "InvalidSpecError: there are no clusters with this name: stg"],
    branch: [of({ targetRevision: "none" }), "unable to resolve 'none' to a commit SHA"],
    folder: [of({ path: "none" }), "none: app path does not exist"],
  };
  for (const [name, [spec]] of Object.entries(cases)) argo.application(spec, name);
  await argo.world.settled();
  for (const [name, [, message]] of Object.entries(cases))
    expect([name, argo.stateOf(name)[0], argo.conditionsOf(name)]).toEqual([name, "Unknown", [expect.stringContaining(message)]]);
});

test("what is not modelled is refused by its name, in a condition and in the log", async () => {
  argo.project();
  const a = { "a.yaml": yaml(configMap("config", "1")) };
  const cases: [name: string, spec: object, files: Record<string, string>, named: string][] = [
    ["helm", { source: { repoURL: REPOSITORY, path: "helm", helm: { values: "" } } }, a, "spec.source.helm"],
    ["sources", { sources: [] }, a, "spec.sources"],
    ["ignored", { ignoreDifferences: [] }, a, "spec.ignoreDifferences"],
    ["option", { syncPolicy: { syncOptions: ["Replace=true"] } }, a, "spec.syncPolicy.syncOptions.0"],
    ["subset", { syncPolicy: { syncOptions: [...POLICY.syncOptions, "ApplyOutOfSyncOnly=true"] } }, a, "spec.syncPolicy.syncOptions.1"],
    ["missing", { syncPolicy: { syncOptions: ["PruneLast=true", "PruneLast=true", "SkipDryRunOnMissingResource=true"] } }, a, "spec.syncPolicy.syncOptions.2"],
    ["duration", { syncPolicy: { retry: { backoff: { duration: "5" } } } }, a, "spec.syncPolicy.retry.backoff.duration"],
    ["prefix", {}, { ...a, "kustomization.yaml": "resources: [a.yaml]\nnamePrefix: x\n" }, "kustomization.yaml.namePrefix"],
    ["hook", {}, { "b.yaml": yaml(configMap("smoke", "1", { hook: "PostSync" })) }, "ConfigMap smoke as a hook"],
    ["phase", {}, { "b.yaml": yaml(hook("smoke", "SyncFail")) }, "is a hook SyncFail"],
    ["annotation", {}, { "b.yaml": yaml(configMap("x", "1", { "sync-options": "Prune=false" })) }, "argocd.argoproj.io/sync-options"],
    ["chart", {}, { "Chart.yaml": "name: x\n" }, "a Helm chart in Git"],
  ];
  const files = cases.flatMap(([name, , texts]) => Object.entries(texts).map(([file, text]) => [`${name}/${file}`, text] as const));
  await argo.git.push(Object.fromEntries(files));
  for (const [name, spec] of cases) argo.application({ source: { repoURL: REPOSITORY, path: name, targetRevision: "main" }, ...spec }, name);
  await argo.world.settled();
  for (const [name, , , named] of cases) {
    expect([name, argo.conditionsOf(name)]).toEqual([name, [expect.stringContaining("not modelled by the lab")]]);
    expect(argo.conditionsOf(name)[0]).toContain(named);
    expect(argo.world.ctx.unhandled.all().map(({ what }) => what)).toContainEqual(expect.stringContaining(named));
  }
  expect(argo.world.ctx.unhandled.all()).toHaveLength(cases.length);
  expect(argo.dev.all("v1", "ConfigMap", "shop").map(({ metadata }) => metadata.name)).toEqual(["kube-root-ca.crt"]);
  await argo.world.ctx.unhandled.restore([]);
});

test("a sync that fails is tried again as often as it may be, later each time", async () => {
  await argo.git.push({ "shop/a.yaml": yaml({ ...configMap("config", "1"), metadata: { name: "config", namespace: "later" } }) });
  argo.project();
  argo.application({ syncPolicy: { ...POLICY, retry: { limit: 5, backoff: { duration: "2s", factor: 1, maxDuration: "2s" } } } });
  await argo.world.settled();
  expect([argo.stateOf()[2], argo.messageOf()]).toEqual([
    "Running",
    expect.stringMatching(/^one or more objects failed to apply \(dry run\)\. Retrying attempt #1 at /),
  ]);
  await argo.dev.namespace("later");
  await argo.ended();
  expect([argo.stateOf(), textAt(argo.found("ConfigMap", "config", "later"), "data", "level")]).toEqual([["Synced", "Healthy", "Succeeded"], "1"]);
  expect(Number(at(argo.found("Application", "shop"), "status", "operationState", "retryCount"))).toBeGreaterThan(0);
});

test("an operation whose revision cannot be read is tried again no sooner than it may be", async () => {
  argo.project();
  argo.application({ syncPolicy: { syncOptions: POLICY.syncOptions, retry: { limit: 3, backoff: { duration: "1h", maxDuration: "1h" } } } });
  await argo.world.settled();
  argo.dev.modify(ARGO_API, "Application", "argocd", "shop", (object) => ({ ...object, operation: { sync: { syncOptions: POLICY.syncOptions } } }));
  await argo.world.settled();
  const { retryCount } = mapAt(argo.found("Application", "shop"), "status", "operationState");
  expect([argo.stateOf()[2], retryCount, argo.messageOf()]).toEqual(["Running", 1, expect.stringContaining("unable to resolve 'main'")]);
});
