/** Argo CD in the lab: sets of Applications, other clusters, and repositories that want a login. */

import { ARGO_API, type ArgoCdWorld, configMap, inArgoCd, OWN, POLICY, REPOSITORY, yaml } from "../../tests/support/argo-cd-world";
import { listAt, textAt } from "../kubernetes/objects";

let argo: ArgoCdWorld;
inArgoCd((made) => {
  argo = made;
});

test("a set makes an Application of each element; when an element is removed, its Application is deleted with its objects", async () => {
  await argo.git.push({ "a/a.yaml": yaml(configMap("of-a", "1")), "b/b.yaml": yaml(configMap("of-b", "1")) });
  argo.project();
  const elements = [{ app: "a" }, { app: "b" }];
  const spec = {
    ...{ project: "shop", source: { repoURL: REPOSITORY, path: "{{ .app }}", targetRevision: "main" } },
    ...{ destination: { server: OWN, namespace: "shop" }, syncPolicy: POLICY },
  };
  const template = { metadata: { name: "{{ .app }}-dev", finalizers: ["resources-finalizer.argocd.argoproj.io"] }, spec };
  const set = { goTemplate: true, goTemplateOptions: ["missingkey=error"], generators: [{ list: { elements } }], template };
  argo.dev.create({ apiVersion: ARGO_API, kind: "ApplicationSet", metadata: { name: "dev", namespace: "argocd" }, spec: set });
  await argo.world.settled();
  expect([argo.stateOf("a-dev"), argo.stateOf("b-dev"), argo.levelOf("of-a"), argo.levelOf("of-b")]).toEqual([
    ...Array(2).fill(["Synced", "Healthy", "Succeeded"]),
    "1",
    "1",
  ]);
  argo.dev.modify(ARGO_API, "ApplicationSet", "argocd", "dev", (object) => ({
    ...object,
    spec: { ...set, generators: [{ list: { elements: [{ app: "a" }] } }] },
  }));
  await argo.world.settled();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await argo.world.settled();
  expect([argo.found("Application", "b-dev"), argo.levelOf("of-b"), argo.levelOf("of-a")]).toEqual([undefined, undefined, "1"]);
  const typo = { ...set, template: { ...template, spec: { ...spec, project: "{{ .ap }}" } } };
  argo.dev.modify(ARGO_API, "ApplicationSet", "argocd", "dev", (object) => ({ ...object, spec: typo }));
  await argo.world.settled();
  expect(listAt(argo.found("ApplicationSet", "dev"), "status", "conditions").find(({ type }) => type === "ErrorOccurred")).toMatchObject({
    status: "True",
    message: expect.stringContaining('map has no entry for key "ap"'),
  });
  expect(argo.levelOf("of-a")).toBe("1");
});

test("what is not modelled of a set is refused by its name, in its condition and once in the log", async () => {
  const spec = { goTemplate: true, generators: [{ git: {} }], template: { metadata: { name: "a" }, spec: {} } };
  argo.dev.create({ apiVersion: ARGO_API, kind: "ApplicationSet", metadata: { name: "dev", namespace: "argocd" }, spec });
  await argo.world.settled();
  expect(listAt(argo.found("ApplicationSet", "dev"), "status", "conditions").find(({ type }) => type === "ErrorOccurred")).toMatchObject({
    status: "True",
    message: expect.stringContaining("spec.generators.0.git"),
  });
  expect(argo.world.ctx.unhandled.all().map(({ what }) => what)).toEqual([expect.stringContaining("spec.generators.0.git")]);
  await argo.world.ctx.unhandled.restore([]);
});

test("two Applications with one object: the second one does not take it", async () => {
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")), "other/a.yaml": yaml(configMap("config", "2")) });
  argo.project();
  argo.application();
  await argo.world.settled();
  const syncPolicy = { ...POLICY, syncOptions: [...POLICY.syncOptions, "FailOnSharedResource=true"], retry: { limit: 0 } };
  argo.application({ source: { repoURL: REPOSITORY, path: "other", targetRevision: "main" }, syncPolicy }, "other");
  await argo.world.settled();
  expect([argo.levelOf("config"), argo.stateOf("other")[2], argo.messageOf("other")]).toEqual([
    "1",
    "Failed",
    expect.stringContaining("Shared resource found"),
  ]);
});

test("it reads a repository with the login of its Secret, and one with a wrong login says so", async () => {
  await expect(argo.world.checkout(REPOSITORY, "wrong")).rejects.toThrow(/Authentication failed|could not read Username|401/);
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")) });
  const login = (password: string) => ({ url: REPOSITORY, username: "lab", password });
  const data = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
  const labels = { "argocd.argoproj.io/secret-type": "repository" };
  argo.dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "repository", namespace: "argocd", labels }, data: data(login("wrong")) });
  argo.project();
  argo.application();
  await argo.world.settled();
  expect(argo.conditionsOf()).toEqual([`ComparisonError: Failed to load target state: failed to fetch ${REPOSITORY}: authentication required`]);
  argo.dev.modify("v1", "Secret", "argocd", "repository", (object) => ({ ...object, data: data(login("lab-only")) }));
  await argo.ended();
  expect([argo.levelOf("config"), argo.conditionsOf()]).toEqual(["1", []]);
});

test("another cluster: by the Secret with its address, authority and token, and with the rights of that account alone", async () => {
  const stg = await argo.world.cluster("stg", "192.168.1.13");
  await stg.namespace("shop");
  const account = stg.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "argocd", namespace: "shop" } });
  const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "create", "patch", "delete"] }];
  const subjects = [{ kind: "ServiceAccount", name: "argocd", namespace: "shop" }];
  stg.create({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: { name: "argocd", namespace: "shop" }, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "argocd" };
  stg.create({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: "argocd", namespace: "shop" }, subjects, roleRef });
  const { token } = stg.cluster.tokens.issue(account, [], 3600);
  const config = JSON.stringify({ bearerToken: token, tlsClientConfig: { caData: Buffer.from(stg.cluster.caPem).toString("base64") } });
  const entries = Object.entries({ name: "stg", server: "https://192.168.1.13:6443", config });
  const data = Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
  const labels = { "argocd.argoproj.io/secret-type": "cluster" };
  argo.dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "cluster-stg", namespace: "argocd", labels }, data });
  await argo.git.push({ "shop/a.yaml": yaml(configMap("config", "1")) });
  argo.project({ namespaceResourceWhitelist: [{ group: "", kind: "ConfigMap" }] });
  argo.application({ destination: { name: "stg", namespace: "shop" }, syncPolicy: { ...POLICY, retry: { limit: 0 } } });
  await argo.ended();
  expect([argo.stateOf(), argo.conditionsOf()]).toEqual([["Synced", "Healthy", "Succeeded"], []]);
  expect([argo.levelOf("config"), textAt(stg.find("v1", "ConfigMap", "shop", "config"), "data", "level")]).toEqual([undefined, "1"]);
  await argo.git.push({
    "shop/a.yaml": yaml(configMap("config", "2"), { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } }),
  });
  await argo.refresh();
  await argo.ended();
  expect(argo.conditionsOf()[0]).toContain('services "web" is forbidden');
});
