import { inLabWorld, type LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import type { KubeObject } from "../kubernetes";
import { at, listAt } from "../kubernetes/objects";

let world: LabWorld;
let dev: WorldCluster;
inLabWorld((made) => {
  ({ world, dev } = made);
});

const KUBEVIRT = "kubevirt.io/v1";
const asked = { apiVersion: KUBEVIRT, kind: "KubeVirt", metadata: { name: "kubevirt", namespace: "kubevirt" }, spec: {} };
const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "kubevirts.kubevirt.io" },
  spec: {
    group: "kubevirt.io",
    scope: "Namespaced",
    names: { kind: "KubeVirt", listKind: "KubeVirtList", plural: "kubevirts", singular: "kubevirt" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
const labels = { app: "virt-operator" };
const operator = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "virt-operator", namespace: "kubevirt" },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "o", image: "quay.io/kubevirt/virt-operator:v1.9.0" }] } },
  },
};
const live = (): KubeObject | undefined => dev.find(KUBEVIRT, "KubeVirt", "kubevirt", "kubevirt");
const available = (): unknown => listAt(live(), "status", "conditions").find(({ type }) => type === "Available")?.["status"];

test("an operator makes its software for its resource, deletes it again, and only then removes the finalizer; without it the resource stays", async () => {
  await dev.namespace("kubevirt");
  dev.create(definition as unknown as KubeObject);
  await world.settled();
  dev.create(asked);
  await world.settled();
  expect(available()).toBeUndefined();
  dev.create(operator);
  await world.settled();
  expect([available(), live()?.metadata.finalizers]).toEqual(["True", ["foregroundDeleteKubeVirt"]]);
  expect(dev.find("apps/v1", "DaemonSet", "kubevirt", "virt-handler")?.["status"]).toMatchObject({ numberReady: 1 });
  expect(dev.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, "virtualmachines.kubevirt.io")).toBeDefined();
  dev.modify("apps/v1", "Deployment", "kubevirt", "virt-operator", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 0 } }));
  await world.settled();
  dev.remove(KUBEVIRT, "KubeVirt", "kubevirt", "kubevirt");
  await world.settled();
  expect(live()?.metadata.deletionTimestamp).toBeDefined();
  dev.modify("apps/v1", "Deployment", "kubevirt", "virt-operator", (o) => ({ ...o, spec: { ...(o["spec"] as object), replicas: 1 } }));
  await world.settled();
  expect([live(), dev.find("apps/v1", "DaemonSet", "kubevirt", "virt-handler")]).toEqual([undefined, undefined]);
  expect(dev.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, "virtualmachines.kubevirt.io")).toBeUndefined();
});

describe("Longhorn", () => {
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default" },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "longhorn", resources: { requests: { storage: "1Gi" } } },
  };
  const setting = () => dev.find("longhorn.io/v1beta2", "Setting", "longhorn-system", "deleting-confirmation-flag");
  const uninstall = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "longhorn-uninstall", namespace: "longhorn-system" },
    spec: {
      backoffLimit: 1,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "u", image: "longhornio/longhorn-manager:v1.12.1", command: ["longhorn-manager", "uninstall", "--force"] }],
        },
      },
    },
  };
  const ended = (): unknown =>
    listAt(dev.find("batch/v1", "Job", "longhorn-system", "longhorn-uninstall"), "status", "conditions").map(({ type, reason }) => `${type}: ${reason}`);

  beforeEach(() => dev.install("https://charts.longhorn.io", "longhorn", "1.12.1", {}, "longhorn-system"));

  test("its class binds a claim at once, with a volume of its own, which is deleted with the claim", async () => {
    dev.create(claim);
    await world.settled();
    const bound = dev.find("v1", "PersistentVolumeClaim", "default", "data");
    expect(at(bound, "status", "phase")).toBe("Bound");
    const volumes = () => dev.all("longhorn.io/v1beta2", "Volume").map(({ metadata }) => metadata.name);
    expect(volumes()).toEqual([String(at(bound, "spec", "volumeName"))]);
    dev.remove("v1", "PersistentVolumeClaim", "default", "data");
    await world.settled();
    expect(volumes()).toEqual([]);
  });

  test("its Job for the removal fails as long as the setting does not allow it, and then takes down what its managers made", async () => {
    expect(at(setting(), "value")).toBe("false");
    dev.create(uninstall);
    await world.settled();
    expect(ended()).toEqual(["FailureTarget: BackoffLimitExceeded", "Failed: BackoffLimitExceeded"]);
    dev.remove("batch/v1", "Job", "longhorn-system", "longhorn-uninstall");
    dev.modify("longhorn.io/v1beta2", "Setting", "longhorn-system", "deleting-confirmation-flag", (o) => ({ ...o, value: "true" }));
    await world.settled();
    dev.create(uninstall);
    await world.settled();
    expect(ended()).toEqual(["SuccessCriteriaMet: CompletionsReached", "Complete: CompletionsReached"]);
    expect([setting(), dev.find("storage.k8s.io/v1", "StorageClass", undefined, "longhorn")]).toEqual([undefined, undefined]);
  });
});
