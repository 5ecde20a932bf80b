import { inLabWorld, LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";
import { at, listAt } from "../kubernetes/objects";

let world: LabWorld;
let dev: WorldCluster;
/** A world with a clock of its own, where a test made one. */
let late: LabWorld | undefined;

afterEach(async () => {
  await late?.stop();
  late = undefined;
});
inLabWorld(async (made) => {
  ({ world, dev } = made);
  await dev.namespace("app");
});

const labels = { app: "web" };
const template = (image: string, spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: "web", image, ports: [{ name: "http", containerPort: 8080 }] }], ...spec },
});
const deployment = (image = "registry/web:1", spec: object = {}, podSpec: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "app" },
  spec: { replicas: 2, selector: { matchLabels: labels }, template: template(image, podSpec), ...spec },
});
const live = (): KubeObject | undefined => dev.find("apps/v1", "Deployment", "app", "web");
const pods = (): KubeObject[] => dev.all("v1", "Pod", "app");
const condition = (object: KubeObject | undefined, type: string) => listAt(object, "status", "conditions").find((c) => c["type"] === type);
const ready = (object: KubeObject): unknown => condition(object, "Ready")?.["status"];

describe("deployments", () => {
  test("a new one: pods on the node, and the status that a rollout waits for", async () => {
    dev.create(deployment());
    await world.settled();
    expect(live()?.metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "1" });
    expect(live()?.["status"]).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 });
    expect(condition(live(), "Available")).toMatchObject({ status: "True", reason: "MinimumReplicasAvailable" });
    expect(condition(live(), "Progressing")).toMatchObject({
      status: "True",
      reason: "NewReplicaSetAvailable",
      message: expect.stringMatching(/^ReplicaSet "web-\w{10}" has successfully progressed\.$/),
    });
    expect(pods().map((pod) => [at(pod, "spec", "nodeName"), at(pod, "status", "phase"), at(pod, "status", "hostIP"), ready(pod)])).toEqual([
      ["k8s-dev", "Running", "192.168.1.12", "True"],
      ["k8s-dev", "Running", "192.168.1.12", "True"],
    ]);
    expect(new Set(pods().map((pod) => at(pod, "status", "podIP"))).size).toBe(2);
  });

  test("another image: new pods, old ReplicaSet kept empty, next revision; back again: the old one as the newest", async () => {
    dev.create(deployment());
    await world.settled();
    const change = async (image: string): Promise<void> => {
      dev.modify("apps/v1", "Deployment", "app", "web", (o) => ({ ...o, spec: { ...(o["spec"] as object), template: template(image) } }));
      await world.settled();
    };
    await change("registry/web:2");
    const sets = () =>
      dev
        .all("apps/v1", "ReplicaSet", "app")
        .map((set) => [
          at(set, "spec", "template", "spec", "containers", 0, "image"),
          at(set, "spec", "replicas"),
          set.metadata.annotations?.["deployment.kubernetes.io/revision"],
        ])
        .sort();
    expect(sets()).toEqual([
      ["registry/web:1", 0, "1"],
      ["registry/web:2", 2, "2"],
    ]);
    expect(pods().map((pod) => at(pod, "spec", "containers", 0, "image"))).toEqual(["registry/web:2", "registry/web:2"]);
    expect(live()?.["status"]).toMatchObject({ observedGeneration: 2, replicas: 2, updatedReplicas: 2 });
    await change("registry/web:1");
    expect(sets()).toEqual([
      ["registry/web:1", 2, "3"],
      ["registry/web:2", 0, "2"],
    ]);
    expect(live()?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
  });

  test("scaling, a pod that is deleted, and the end", async () => {
    dev.create(deployment());
    await world.settled();
    dev.modify("apps/v1", "Deployment", "app", "web", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 3 } }));
    await world.settled();
    expect(pods()).toHaveLength(3);
    const [first] = pods();
    dev.remove("v1", "Pod", "app", first?.metadata.name ?? "");
    await world.settled();
    expect(pods()).toHaveLength(3);
    expect(pods().map(({ metadata }) => metadata.name)).not.toContain(first?.metadata.name);
    dev.remove("apps/v1", "Deployment", "app", "web");
    await world.settled();
    expect([pods(), dev.all("apps/v1", "ReplicaSet", "app")]).toEqual([[], []]);
  });

  test("Recreate: the old pods are gone before the new ones come", async () => {
    dev.create(deployment("registry/web:1", { strategy: { type: "Recreate" } }));
    await world.settled();
    const images: unknown[][] = [];
    dev.cluster.store.onChange(() => images.push([...new Set(pods().map((pod) => at(pod, "spec", "containers", 0, "image")))]));
    dev.modify("apps/v1", "Deployment", "app", "web", (o) => ({ ...o, spec: { ...(o["spec"] as object), template: template("registry/web:2") } }));
    await world.settled();
    expect(images.filter((seen) => seen.length > 1)).toEqual([]);
    expect(images.at(-1)).toEqual(["registry/web:2"]);
  });

  test("a pod waits for the Secret and the ConfigMap that it names, and says so", async () => {
    const podSpec = { containers: [{ name: "web", image: "i", envFrom: [{ secretRef: { name: "s" } }] }], volumes: [{ name: "c", configMap: { name: "c" } }] };
    dev.create(deployment("i", { replicas: 1 }, podSpec));
    await world.settled();
    const waiting = () => at(pods()[0], "status", "containerStatuses", 0, "state", "waiting");
    expect(waiting()).toEqual({ reason: "ContainerCreating", message: 'MountVolume.SetUp failed for volume "c" : configmap "c" not found' });
    dev.create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "app" }, data: {} });
    await world.settled();
    expect(waiting()).toEqual({ reason: "CreateContainerConfigError", message: 'secret "s" not found' });
    expect(condition(live(), "Available")).toMatchObject({ status: "False" });
    dev.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "app" } });
    await world.settled();
    expect(condition(live(), "Available")).toMatchObject({ status: "True" });
  });

  test("no service account, no pods, and the reason in the status", async () => {
    dev.create(deployment("i", {}, { serviceAccountName: "who" }));
    await world.settled();
    expect(condition(live(), "ReplicaFailure")).toMatchObject({ reason: "FailedCreate", message: expect.stringContaining('serviceaccount "who" not found') });
    dev.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "who", namespace: "app" } });
    await world.settled();
    expect([pods().length, condition(live(), "ReplicaFailure")]).toEqual([2, undefined]);
  });

  test("an image that cannot be pulled, until the deadline", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const timers: { at: number; wake: () => void }[] = [];
    const clock = { now: () => now, sleep: (ms: number) => new Promise<void>((wake) => timers.push({ at: now + ms, wake })) };
    const slow = await LabWorld.start({ clock });
    late = slow;
    const cluster = await slow.cluster("stg", "192.168.1.13");
    await cluster.namespace("app");
    for (let i = 0; i < 2; i++) slow.ctx.faults.queue({ name: "kubernetes.image-pull", target: "registry/web:1" });
    cluster.create(deployment("registry/web:1", { replicas: 1, progressDeadlineSeconds: 8 }));
    await slow.settled();
    const status = (type: string) => condition(cluster.find("apps/v1", "Deployment", "app", "web"), type);
    expect(at(cluster.all("v1", "Pod", "app")[0], "status", "containerStatuses", 0, "state", "waiting", "reason")).toBe("ImagePullBackOff");
    const advance = async (ms: number): Promise<void> => {
      now += ms;
      for (const timer of timers.splice(0)) timer.at <= now ? timer.wake() : timers.push(timer);
      await new Promise((done) => setImmediate(done));
      await slow.settled();
    };
    await advance(8_000);
    expect(status("Progressing")).toMatchObject({ status: "False", reason: "ProgressDeadlineExceeded" });
    await advance(10_000);
    await advance(10_000);
    expect([status("Available")?.["status"], status("Progressing")?.["reason"]]).toEqual(["True", "NewReplicaSetAvailable"]);
  });
});

describe("other sets", () => {
  const set = (kind: string, spec: object) => ({
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "set", namespace: "app" },
    spec,
  });

  test("a StatefulSet: pods in order, a claim each that outlives them", async () => {
    const claims = [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }];
    dev.create(
      set("StatefulSet", { replicas: 2, serviceName: "set", selector: { matchLabels: labels }, template: template("i"), volumeClaimTemplates: claims }),
    );
    await world.settled();
    expect(pods().map(({ metadata }) => metadata.name)).toEqual(["set-0", "set-1"]);
    const bound = () =>
      dev.all("v1", "PersistentVolumeClaim", "app").map((claim) => [claim.metadata.name, at(claim, "status", "phase"), at(claim, "spec", "storageClassName")]);
    expect(bound()).toEqual([
      ["data-set-0", "Bound", "local-path"],
      ["data-set-1", "Bound", "local-path"],
    ]);
    expect(dev.all("v1", "PersistentVolume").map((volume) => at(volume, "spec", "claimRef", "name"))).toHaveLength(2);
    const found = dev.find("apps/v1", "StatefulSet", "app", "set");
    expect(found?.["status"]).toMatchObject({ observedGeneration: 1, replicas: 2, readyReplicas: 2, availableReplicas: 2, updatedReplicas: 2 });
    expect(at(found, "status", "currentRevision")).toBe(at(found, "status", "updateRevision"));
    dev.modify("apps/v1", "StatefulSet", "app", "set", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 1 } }));
    await world.settled();
    expect([pods().length, bound().length]).toEqual([1, 2]);
    dev.remove("v1", "PersistentVolumeClaim", "app", "data-set-1");
    await world.settled();
    expect(dev.all("v1", "PersistentVolume")).toHaveLength(1);
  });

  test("a StatefulSet's new template: pods are replaced, or wait for their deletion with OnDelete", async () => {
    const images = (): unknown[] => pods().map((pod) => at(pod, "spec", "containers", 0, "image"));
    for (const [type, expected] of [
      ["RollingUpdate", ["new", "new"]],
      ["OnDelete", ["old", "old"]],
    ] as const) {
      dev.create(
        set("StatefulSet", { replicas: 2, serviceName: "set", selector: { matchLabels: labels }, template: template("old"), updateStrategy: { type } }),
      );
      await world.settled();
      dev.modify("apps/v1", "StatefulSet", "app", "set", (o) => ({ ...o, spec: { ...(o["spec"] as object), template: template("new") } }));
      await world.settled();
      expect(images()).toEqual(expected);
      dev.remove("apps/v1", "StatefulSet", "app", "set");
      await world.settled();
    }
  });

  test("a DaemonSet has one pod on the one node", async () => {
    dev.create(set("DaemonSet", { selector: { matchLabels: labels }, template: template("i") }));
    await world.settled();
    expect(dev.find("apps/v1", "DaemonSet", "app", "set")?.["status"]).toMatchObject({
      desiredNumberScheduled: 1,
      numberReady: 1,
      numberAvailable: 1,
      updatedNumberScheduled: 1,
      observedGeneration: 1,
    });
  });

  test("a Job's pods run to their end", async () => {
    dev.create(set("Job", { completions: 2, template: { spec: { restartPolicy: "Never", containers: [{ name: "j", image: "i" }] } } }));
    await world.settled();
    expect(pods().map((pod) => at(pod, "status", "phase"))).toEqual(["Succeeded", "Succeeded"]);
    const found = dev.find("batch/v1", "Job", "app", "set");
    expect([at(found, "status", "succeeded"), condition(found, "Complete")?.["status"]]).toEqual([2, "True"]);
  });

  test("the job of MinIO's chart waits for MinIO, and makes its buckets; those that are there stay", async () => {
    const meta = (name: string, more: object = {}) => ({ name, namespace: "app", ...more });
    const script = '#!/bin/sh\ncreateBucket states "none" false true false\ncreateBucket loki "none" false false false';
    dev.create({ apiVersion: "v1", kind: "ConfigMap", metadata: meta("minio"), data: { initialize: script } });
    const env = [{ name: "MINIO_ENDPOINT", value: "minio" }];
    const volumes = [{ name: "c", projected: { sources: [{ configMap: { name: "minio" } }] } }];
    const containers = [{ name: "minio-make-bucket", image: "quay.io/minio/mc:RELEASE.2024-11-21T17-21-54Z", env }];
    dev.create(set("Job", { template: { spec: { restartPolicy: "OnFailure", containers, volumes } } }));
    await world.settled();
    expect(pods().map((pod) => at(pod, "status", "phase"))).toEqual(["Running"]);
    expect(condition(dev.find("batch/v1", "Job", "app", "set"), "Complete")).toBeUndefined();

    const selector = { app: "minio" };
    dev.create({ apiVersion: "v1", kind: "Service", metadata: meta("minio"), spec: { selector, ports: [{ port: 9000 }] } });
    const server = { containers: [{ name: "minio", image: "quay.io/minio/minio:RELEASE.2024-12-18T13-15-44Z" }] };
    dev.create({ apiVersion: "v1", kind: "Pod", metadata: meta("minio-0", { labels: selector }), spec: server });
    const isComplete = (): boolean => condition(dev.find("batch/v1", "Job", "app", "set"), "Complete")?.["status"] === "True";
    while (!isComplete()) await new Promise((resolve) => setTimeout(resolve, 50));
    const made = world.ctx.records.since().filter(({ system, kind }) => system === "s3" && kind === "write");
    expect(made.map(({ target, action }) => [target, action])).toEqual([
      ["dev/app/minio-0", "bucket-create states"],
      ["dev/app/minio-0", "bucket-create loki"],
    ]);
  });

  test("a bare pod, and a claim that nobody uses", async () => {
    dev.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "bare", namespace: "app" }, spec: { containers: [{ name: "c", image: "i" }] } });
    const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    dev.create({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "unused", namespace: "app" }, spec });
    await world.settled();
    expect(at(pods()[0], "status", "phase")).toBe("Running");
    expect(at(dev.find("v1", "PersistentVolumeClaim", "app", "unused"), "status", "phase")).toBe("Pending");
  });
});

describe("services", () => {
  test("a service: endpoints of its ready pods by the port's name, and the node's address as balancer", async () => {
    dev.create(deployment());
    const spec = { type: "LoadBalancer", selector: labels, ports: [{ name: "web", port: 80, targetPort: "http" }] };
    dev.create({ apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "app" }, spec });
    await world.settled();
    const endpoints = dev.find("v1", "Endpoints", "app", "web");
    expect(listAt(endpoints, "subsets", 0, "addresses")).toHaveLength(2);
    expect(at(endpoints, "subsets", 0, "ports")).toEqual([{ name: "web", port: 8080, protocol: "TCP" }]);
    const [slice] = dev.all("discovery.k8s.io/v1", "EndpointSlice", "app");
    expect([slice?.metadata.labels?.["kubernetes.io/service-name"], listAt(slice, "endpoints").length]).toEqual(["web", 2]);
    expect(at(dev.find("v1", "Service", "app", "web"), "status")).toEqual({ loadBalancer: { ingress: [{ ip: "192.168.1.12", ipMode: "VIP" }] } });
    dev.modify("apps/v1", "Deployment", "app", "web", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 0 } }));
    await world.settled();
    expect(dev.find("v1", "Endpoints", "app", "web")?.["subsets"]).toBeUndefined();
    dev.remove("v1", "Service", "app", "web");
    await world.settled();
    expect([dev.find("v1", "Endpoints", "app", "web"), dev.all("discovery.k8s.io/v1", "EndpointSlice", "app")]).toEqual([undefined, []]);
  });

  test("nothing is written while nothing changes", async () => {
    dev.create(deployment());
    await world.settled();
    const before = dev.cluster.store.resourceVersion;
    for (const { kind, metadata } of [...pods(), ...dev.all("apps/v1", "Deployment")])
      dev.modify(kind === "Pod" ? "v1" : "apps/v1", kind, metadata.namespace, metadata.name, (o) => o);
    await world.settled();
    expect(dev.cluster.store.resourceVersion).toBe(before);
  });
});
