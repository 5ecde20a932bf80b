import { environmentObjects, OWN_CLUSTER, rootObjects } from "./applications";

const OPTIONS = { repository: "https://git.example.org/homelab.git", revision: "main", path: "gitops" };
const DELIVERED = { environment: "dev", apps: ["enqueuer", "writer"], server: OWN_CLUSTER, byHand: false };

const named = (objects: readonly { kind: string; metadata: { name: string } }[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test("the program registers a root, which may make projects, sets and Applications and nothing else", () => {
  const [project, application] = rootObjects("dev", "dev", OPTIONS);
  expect(project).toMatchObject({
    spec: {
      sourceRepos: [OPTIONS.repository],
      destinations: [{ server: "https://kubernetes.default.svc", namespace: "argocd" }],
      clusterResourceWhitelist: [],
      namespaceResourceWhitelist: ["AppProject", "Application", "ApplicationSet"].map((kind) => ({ group: "argoproj.io", kind })),
    },
  });
  expect(application).toMatchObject({
    metadata: { name: "applications", namespace: "argocd", finalizers: ["resources-finalizer.argocd.argoproj.io"] },
    spec: {
      project: "applications",
      source: { path: "gitops/dev/argo-cd", targetRevision: "main" },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  });
});

test("the root of another environment has a name, a project and a folder of its own, and lies where Argo CD runs", () => {
  const [project, application] = rootObjects("stg", "dev", OPTIONS);
  expect(project).toMatchObject({ metadata: { name: "applications-stg" }, spec: { destinations: [{ server: OWN_CLUSTER, namespace: "argocd" }] } });
  expect(application).toMatchObject({ metadata: { name: "applications-stg" }, spec: { project: "applications-stg", source: { path: "gitops/stg/argo-cd" } } });
});

test("what goes to another cluster names its address, in the project as in each Application", () => {
  const [project, set] = environmentObjects({ ...DELIVERED, server: "https://10.0.0.13:6443" }, OPTIONS);
  expect(project).toMatchObject({ spec: { destinations: ["enqueuer", "writer"].map((namespace) => ({ server: "https://10.0.0.13:6443", namespace })) } });
  expect(set).toMatchObject({ spec: { template: { spec: { destination: { server: "https://10.0.0.13:6443", namespace: "{{ .app }}" } } } } });
});

test("an application that leaves the set keeps running", () => {
  const [, set] = environmentObjects(DELIVERED, OPTIONS);
  expect(set).toMatchObject({ spec: { syncPolicy: { preserveResourcesOnDeletion: true }, template: { metadata: { name: "{{ .app }}-dev" } } } });
  expect(JSON.stringify(set)).not.toContain("finalizers");
});

test("Git has the environment's project before its set; the project reaches the applications' namespaces and no other", () => {
  const objects = environmentObjects(DELIVERED, OPTIONS);
  expect(named(objects)).toEqual(["AppProject dev", "ApplicationSet dev"]);
  expect(objects.map(({ metadata }) => metadata.annotations["argocd.argoproj.io/sync-wave"])).toEqual(["-1", "0"]);
  expect(objects[0]).toMatchObject({ spec: { destinations: [{ namespace: "enqueuer" }, { namespace: "writer" }], clusterResourceWhitelist: [] } });
  const kinds = (objects[0] as unknown as { spec: { namespaceResourceWhitelist: { kind: string }[] } }).spec.namespaceResourceWhitelist.map(({ kind }) => kind);
  expect(kinds).not.toEqual(expect.arrayContaining(["Namespace"]));
  expect(kinds.filter((kind) => /Namespace|NetworkPolicy|Role|Secret$/.test(kind))).toEqual([]);
});

test.each([
  [false, { prune: true, selfHeal: true }],
  [true, undefined],
])("what is synced by hand (%s) is not synced by itself", (byHand, automated) => {
  const [, set] = environmentObjects({ ...DELIVERED, byHand }, OPTIONS);
  const { generators, template } = (
    set as unknown as { spec: { generators: object[]; template: { spec: { source: object; syncPolicy: { automated?: object } } } } }
  ).spec;
  expect(generators).toEqual([{ list: { elements: [{ app: "enqueuer" }, { app: "writer" }] } }]);
  expect(template.spec.source).toEqual({ repoURL: OPTIONS.repository, targetRevision: "main", path: "gitops/dev/{{ .app }}" });
  expect(template.spec.syncPolicy.automated).toEqual(automated);
  expect(template.spec.syncPolicy).toMatchObject({
    syncOptions: ["PruneLast=true", "ServerSideApply=true", "FailOnSharedResource=true"],
    retry: { limit: 5, backoff: { duration: "5s", factor: 2, maxDuration: "3m" } },
  });
});
