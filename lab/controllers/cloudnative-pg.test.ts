import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";
import { at, listAt } from "../kubernetes/objects";

const API = "postgresql.cnpg.io/v1";
let world: LabWorld;
let dev: WorldCluster;

/** The operator as its chart makes it. */
const install = (): Promise<void> => dev.install("https://cloudnative-pg.github.io/charts", "cloudnative-pg", "0.29.0", {}, "cnpg-system");

const cluster = (spec: object = {}) => ({
  apiVersion: API,
  kind: "Cluster",
  metadata: { name: "pg", namespace: "app" },
  spec: {
    instances: 2,
    storage: { size: "1Gi", storageClass: "local-path" },
    bootstrap: { initdb: { database: "d", owner: "o", secret: { name: "pg-o" } } },
    ...spec,
  },
});
const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "pg-o", namespace: "app" }, stringData: { username: "o", password: "p" } };
const live = (kind: string, name: string): KubeObject | undefined => dev.find(API, kind, "app", name);
const ready = (object: KubeObject | undefined): unknown => listAt(object, "status", "conditions").find((c) => c["type"] === "Ready")?.["status"];

inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("app");
});

test("a cluster waits for its owner's Secret; then it has servers with claims, and is ready when they are", async () => {
  await install();
  dev.create(cluster());
  await world.settled();
  expect(ready(live("Cluster", "pg"))).toBe("False");
  expect(at(live("Cluster", "pg"), "status", "phaseReason")).toBe('secret "pg-o" not found');
  expect(dev.all("v1", "Pod", "app")).toEqual([]);
  dev.create(secret as unknown as KubeObject);
  await world.settled();
  expect(dev.all("v1", "Pod", "app").map(({ metadata }) => [metadata.name, metadata.labels?.["cnpg.io/instanceRole"]])).toEqual([
    ["pg-1", "primary"],
    ["pg-2", "replica"],
  ]);
  expect(dev.all("v1", "PersistentVolumeClaim", "app").map(({ metadata }) => metadata.name)).toEqual(["pg-1", "pg-2"]);
  expect(live("Cluster", "pg")?.["status"]).toMatchObject({ instances: 2, readyInstances: 2, phase: "Cluster in healthy state", currentPrimary: "pg-1" });
  expect(ready(live("Cluster", "pg"))).toBe("True");
});

test("a cluster that archives waits for its store and the keys of it; a backup that is to be made at once is made when it is ready", async () => {
  await install();
  const names = { kind: "ObjectStore", listKind: "ObjectStoreList", plural: "objectstores", singular: "objectstore" };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  dev.create({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "objectstores.barmancloud.cnpg.io" },
    spec: { group: "barmancloud.cnpg.io", scope: "Namespaced", names, versions: [{ name: "v1", served: true, storage: true, schema }] },
  });
  const configuration = { destinationPath: "s3://b/", s3Credentials: { accessKeyId: { name: "keys", key: "A" }, secretAccessKey: { name: "keys", key: "S" } } };
  dev.create(secret as unknown as KubeObject);
  const reason = () => at(live("Cluster", "pg"), "status", "phaseReason");
  dev.create(cluster({ instances: 1, plugins: [{ name: "barman", isWALArchiver: true, parameters: { barmanObjectName: "store" } }] }));
  dev.create({ apiVersion: API, kind: "ScheduledBackup", metadata: { name: "daily", namespace: "app" }, spec: { cluster: { name: "pg" }, immediate: true } });
  await world.settled();
  expect(reason()).toBe('objectstores.barmancloud.cnpg.io "store" not found');
  dev.create({ apiVersion: "barmancloud.cnpg.io/v1", kind: "ObjectStore", metadata: { name: "store", namespace: "app" }, spec: { configuration } });
  dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "other", namespace: "app" } } as unknown as KubeObject);
  await world.settled();
  expect(reason()).toBe('secret "keys" not found');
  expect(dev.all(API, "Backup", "app")).toEqual([]);
  dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "keys", namespace: "app" }, stringData: { A: "a", S: "s" } } as unknown as KubeObject);
  await world.settled();
  expect(ready(live("Cluster", "pg"))).toBe("True");
  expect(dev.all(API, "Backup", "app").map(({ metadata, status }) => [metadata.name, (status as { phase: string }).phase])).toEqual([
    ["daily-first", "completed"],
  ]);
});

test("writes go to the first server, and a balancer that is asked for has the cluster's address", async () => {
  await install();
  dev.create(secret as unknown as KubeObject);
  const serviceTemplate = { metadata: { name: "outside", annotations: { a: "b" } }, spec: { type: "LoadBalancer" } };
  dev.create(cluster({ instances: 1, managed: { services: { additional: [{ selectorType: "rw", serviceTemplate }] } } }));
  await world.settled();
  const service = (name: string) => dev.find("v1", "Service", "app", name);
  expect(at(service("pg-rw"), "spec", "selector")).toEqual({ "cnpg.io/cluster": "pg", "cnpg.io/instanceRole": "primary" });
  expect(listAt(dev.find("v1", "Endpoints", "app", "pg-rw"), "subsets")).toHaveLength(1);
  expect(listAt(dev.find("v1", "Endpoints", "app", "pg-ro"), "subsets")).toHaveLength(0);
  expect(service("outside")?.metadata.annotations).toEqual({ a: "b" });
  expect(listAt(service("outside"), "status", "loadBalancer", "ingress")).toMatchObject([{ ip: "192.168.1.12" }]);
});

test("a role and a database are applied when their servers are ready", async () => {
  await install();
  const metadata = { name: "x", namespace: "app" };
  dev.create({ apiVersion: API, kind: "DatabaseRole", metadata, spec: { cluster: { name: "pg" }, name: "o", passwordSecret: { name: "pg-o" } } });
  dev.create({ apiVersion: API, kind: "Database", metadata, spec: { cluster: { name: "pg" }, name: "d", owner: "o" } });
  await world.settled();
  expect(["Database", "DatabaseRole"].map((kind) => at(live(kind, "x"), "status", "applied"))).toEqual([false, false]);
  dev.create(secret as unknown as KubeObject);
  dev.create(cluster());
  await world.settled();
  expect(["Database", "DatabaseRole"].map((kind) => at(live(kind, "x"), "status", "applied"))).toEqual([true, true]);
});

test("without the operator nothing happens to a cluster, and with it everything", async () => {
  await install();
  const operator = dev.find("apps/v1", "Deployment", "cnpg-system", "cloudnative-pg");
  if (operator === undefined) throw new Error("there is no operator");
  dev.modify("apps/v1", "Deployment", "cnpg-system", "cloudnative-pg", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 0 } }));
  await world.settled();
  dev.create(secret as unknown as KubeObject);
  dev.create(cluster());
  await world.settled();
  expect(live("Cluster", "pg")?.["status"]).toBeUndefined();
  dev.modify("apps/v1", "Deployment", "cnpg-system", "cloudnative-pg", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 1 } }));
  await world.settled();
  expect(ready(live("Cluster", "pg"))).toBe("True");
});
