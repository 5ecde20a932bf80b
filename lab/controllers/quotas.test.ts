import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { Admission } from "../kubernetes/admission";
import { at, listAt } from "../kubernetes/objects";
import { amount, quantity } from "../kubernetes/quota";

let world: LabWorld;
let dev: WorldCluster;
inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("app");
});

const metadata = (name: string) => ({ name, namespace: "app" });
const quota = (hard: object) => ({ apiVersion: "v1", kind: "ResourceQuota", metadata: metadata("quota"), spec: { hard } });
const LIMITS = {
  apiVersion: "v1",
  kind: "LimitRange",
  metadata: metadata("container-defaults"),
  spec: { limits: [{ type: "Container", defaultRequest: { cpu: "10m", memory: "64Mi" }, default: { memory: "512Mi" } }] },
};
const deployment = (replicas: number, resources: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: metadata("web"),
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "registry/web:1", resources }] } },
  },
});
const pods = () => dev.all("v1", "Pod", "app");
const resources = () => pods().map((pod) => at(pod, "spec", "containers", 0, "resources"));
const status = () => dev.find("v1", "ResourceQuota", "app", "quota")?.["status"];
const failure = () => dev.all("apps/v1", "ReplicaSet", "app").flatMap((set) => listAt(set, "status", "conditions").map((condition) => condition["message"]));

test.each([
  ["250m", 0.25],
  ["2", 2],
  ["1.5Gi", 1.5 * 2 ** 30],
  ["64Mi", 2 ** 26],
  ["1G", 1e9],
])("the quantity %s", (text, value) => {
  expect(quantity(text)).toBe(value);
});
test("amounts are written as quotas write them", () => {
  expect([amount("requests.cpu", 0.25), amount("requests.cpu", 2), amount("requests.memory", 2 ** 27), amount("pods", 3)]).toEqual(["250m", "2", "128Mi", "3"]);
});

test("a container that names nothing gets what the namespace says; a limit of its own is its request as well", async () => {
  dev.create(LIMITS);
  dev.create(deployment(1));
  await world.settled();
  expect(resources()).toEqual([{ requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } }]);
  dev.remove("apps/v1", "Deployment", "app", "web");
  await world.settled();
  dev.create(deployment(1, { limits: { memory: "128Mi" } }));
  await world.settled();
  expect(resources()).toEqual([{ requests: { cpu: "10m", memory: "128Mi" }, limits: { memory: "128Mi" } }]);
});

test("pods beyond the quota are not made, the set says why, and they are made when there is room", async () => {
  dev.create(LIMITS);
  dev.create(quota({ pods: "10", "requests.memory": "160Mi" }));
  dev.create(deployment(3));
  await world.settled();
  expect(pods()).toHaveLength(2);
  expect(status()).toEqual({ hard: { pods: "10", "requests.memory": "160Mi" }, used: { pods: "2", "requests.memory": "128Mi" } });
  expect(failure()).toEqual([
    expect.stringMatching(
      /^pods "web-\w+-" is forbidden: exceeded quota: quota, requested: requests.memory=64Mi, used: requests.memory=128Mi, limited: requests.memory=160Mi$/,
    ),
  ]);
  dev.modify("v1", "ResourceQuota", "app", "quota", (o) => ({ ...o, spec: { hard: { pods: "10", "requests.memory": "1Gi" } } }));
  await world.settled();
  expect(pods()).toHaveLength(3);
});

test("a claim beyond the quota is refused by the API", async () => {
  dev.create(quota({ "requests.storage": "1Gi" }));
  await world.settled();
  const claim = (name: string, storage: string) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: metadata(name),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  const { store } = dev.cluster;
  const ask = (object: ReturnType<typeof claim>) =>
    new Admission(store, world.ctx, "dev").check({
      type: store.type("v1", "PersistentVolumeClaim"),
      namespace: "app",
      subresource: undefined,
      operation: "CREATE",
      object,
      dryRun: false,
    });
  ask(claim("a", "1Gi"));
  dev.create(claim("a", "1Gi"));
  await world.settled();
  expect(() => ask(claim("b", "1Mi"))).toThrow(
    'persistentvolumeclaims "b" is forbidden: exceeded quota: quota, requested: requests.storage=1Mi, used: requests.storage=1Gi, limited: requests.storage=1Gi',
  );
});
