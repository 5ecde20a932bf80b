import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { at } from "../kubernetes/objects";

let world: LabWorld;
let dev: WorldCluster;
const labels = { app: "web" };

inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("app");
});

test("a namespace gets its account and the cluster's authority; deleting it deletes all its objects", async () => {
  expect(dev.find("v1", "ServiceAccount", "app", "default")).toBeDefined();
  expect(at(dev.find("v1", "ConfigMap", "app", "kube-root-ca.crt"), "data", "ca.crt")).toBe(dev.cluster.caPem);
  dev.create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "app" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "registry/web:1" }] } },
    },
  });
  await world.settled();
  dev.remove("v1", "Namespace", undefined, "app");
  await world.settled();
  expect(dev.find("v1", "Namespace", undefined, "app")).toBeUndefined();
  expect([dev.all("v1", "Pod", "app"), dev.all("v1", "ServiceAccount", "app"), dev.all("apps/v1", "Deployment", "app")]).toEqual([[], [], []]);
});

test("a token Secret is filled in, and deleted with its account", async () => {
  dev.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reviewer", namespace: "app" } });
  const metadata = { name: "token", namespace: "app", annotations: { "kubernetes.io/service-account.name": "reviewer" } };
  dev.create({ apiVersion: "v1", kind: "Secret", metadata, type: "kubernetes.io/service-account-token" });
  await world.settled();
  const secret = dev.find("v1", "Secret", "app", "token");
  const token = Buffer.from(String(at(secret, "data", "token")), "base64").toString();
  expect(dev.cluster.tokens.user(token, dev.cluster.store)?.name).toBe("system:serviceaccount:app:reviewer");
  expect(Buffer.from(String(at(secret, "data", "ca.crt")), "base64").toString()).toBe(dev.cluster.caPem);
  dev.remove("v1", "ServiceAccount", "app", "reviewer");
  await world.settled();
  expect(dev.find("v1", "Secret", "app", "token")).toBeUndefined();
});
