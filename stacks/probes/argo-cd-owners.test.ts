import { HomelabError } from "../../common/errors";
import type { Answer } from "../../components/base/cluster-api";
import { argoCdOwners } from "./argo-cd-owners";

const APPLICATIONS = "/apis/argoproj.io/v1alpha1/applications";
const NONE: Answer = { status: 404, message: "", body: {} };

const api = (lists: Readonly<Record<string, readonly object[]>>) => {
  const asked: string[] = [];
  const request = (_: string, path: string): Promise<Answer> => {
    asked.push(path);
    const items = lists[path];
    return Promise.resolve(items === undefined ? NONE : { status: 200, message: "", body: { items } });
  };
  return { request, asked };
};
const named = (name: string, more: object = {}) => ({ metadata: { name, namespace: "argocd", ...more } });
const argoCd = (...names: string[]) => api({ [APPLICATIONS]: names.map((name) => named(name)) });
const marked = (id: string) => ({ metadata: { name: "writer", namespace: "writer", annotations: { "argocd.argoproj.io/tracking-id": id } } });
const deployment = (object: object) => api({ "/apis/apps/v1/namespaces/writer/deployments": [object] });
const APPS = ["writer", "shop"];

test("Applications of the expected names are found; those of other stacks and those that are gone are not", async () => {
  expect(await argoCdOwners(argoCd("writer-dev", "writer-stg", "applications"), api({}), "stg", APPS)).toEqual([{ app: "writer", application: "writer-stg" }]);
  expect(await argoCdOwners(argoCd("writer-dev", "applications"), api({}), "stg", APPS)).toEqual([]);
});

test.each([
  ["the mark of a Deployment", deployment(marked("mine:apps/Deployment:writer/writer"))],
  ["the mark of a Service", api({ "/api/v1/namespaces/writer/services": [marked("mine:/Service:writer/writer")] })],
  ["the label of older settings", deployment({ metadata: { name: "writer", namespace: "writer", labels: { "app.kubernetes.io/instance": "mine" } } })],
])("an Application under another name is found by %s", async (_, cluster) => {
  expect(await argoCdOwners(argoCd("mine"), cluster, "dev", APPS)).toEqual([{ app: "writer", application: "mine" }]);
});

test("an Application outside Argo CD's namespace is found by its full name", async () => {
  const there = api({ [APPLICATIONS]: [named("mine", { namespace: "team" }), named("team_mine-not")] });
  const cluster = deployment(marked("team_mine:apps/Deployment:writer/writer"));
  expect(await argoCdOwners(there, cluster, "dev", APPS)).toEqual([{ app: "writer", application: "team_mine" }]);
});

test("an annotation that was copied from another object is no mark", async () => {
  expect(await argoCdOwners(argoCd("mine"), deployment(marked("mine:apps/Deployment:writer/other")), "dev", APPS)).toEqual([]);
});

test("an object that was given up keeps its mark, and is nobody's", async () => {
  expect(await argoCdOwners(argoCd("applications"), deployment(marked("writer-dev:apps/Deployment:writer/writer")), "dev", APPS)).toEqual([]);
});

test("the stack's cluster is asked only where Argo CD has an Application of another name", async () => {
  const cluster = api({});
  await argoCdOwners(argoCd("writer-dev", "shop-dev"), cluster, "dev", APPS);
  await argoCdOwners(api({}), cluster, "dev", APPS);
  expect(cluster.asked).toEqual([]);
  expect(await argoCdOwners(argoCd("mine"), undefined, "dev", APPS)).toEqual([]);
});

test("a cluster that does not answer delivers nothing", async () => {
  const dead = { request: () => Promise.reject(new HomelabError("E_HTTP", "no answer")) };
  expect(await argoCdOwners(dead, api({}), "dev", APPS)).toEqual([]);
  expect(await argoCdOwners(argoCd("mine"), dead, "dev", APPS)).toEqual([]);
  expect(await argoCdOwners(argoCd("mine", "shop-dev"), dead, "dev", APPS)).toEqual([{ app: "shop", application: "shop-dev" }]);
});
