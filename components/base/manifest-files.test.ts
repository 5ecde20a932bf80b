/** Published manifests in the lab's API: what is applied, what is removed, and what is refused before anything is applied. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../common/clock";
import { LabWorld, type WorldCluster } from "../../tests/support/lab-world";
import { runClusterTask, type TaskRun } from "./cluster-task";

const ADDRESS = "192.168.1.12";
const OPERATOR = {
  url: "https://github.com/kubevirt/kubevirt/releases/download/v1.9.0/kubevirt-operator.yaml",
  sha256: "f11307caafc3c23ffedf9887d8beb5a4419e2694da242fa68f63d1ec820de2e0",
};

let world: LabWorld;
let dev: WorldCluster;
beforeEach(async () => {
  world = await LabWorld.start();
  dev = await world.cluster("dev", ADDRESS);
  process.env["HOMELAB_CHART_STAND_IN"] = world.chartStandIn;
});
afterEach(async () => {
  delete process.env["HOMELAB_CHART_STAND_IN"];
  await world.stop();
});

/** A clock that only `sleep` moves. */
function clockOf(): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
      await world.settled();
    },
  };
}

function run(task: object, how: TaskRun = {}, budgetSeconds = 60): Promise<string> {
  const server = `https://127.0.0.1:${world.ctx.network.resolve(ADDRESS, 6443)?.port}`;
  return runClusterTask(JSON.stringify({ ...task, budgetSeconds, kubeconfig: dev.cluster.adminKubeconfig({ server }) }), clockOf(), how);
}
const apply = (files: object[], how: TaskRun = {}, budgetSeconds?: number) => run({ do: "manifest", files }, how, budgetSeconds);
const definition = () => dev.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, "kubevirts.kubevirt.io");
const operator = () => dev.find("apps/v1", "Deployment", "kubevirt", "virt-operator");

test("a file is applied, its definitions first; it has ended when the Deployment is available. Its namespace is left to the program", async () => {
  await dev.namespace("kubevirt", { ours: "yes" });
  const { objects } = JSON.parse(await apply([OPERATOR])) as { objects: { kind: string; metadata: { name: string } }[] };
  expect(objects.map(({ kind }) => kind)).toEqual([
    "CustomResourceDefinition",
    "PriorityClass",
    "ClusterRole",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Deployment",
  ]);
  expect(operator()?.["status"]).toMatchObject({ availableReplicas: 2 });
  expect(dev.find("v1", "Namespace", undefined, "kubevirt")?.metadata.labels).toEqual({ "kubernetes.io/metadata.name": "kubevirt", ours: "yes" });
});

test("what was applied goes, the last first, and it has ended when it is gone", async () => {
  await dev.namespace("kubevirt");
  const previous = await apply([OPERATOR]);
  await run({ do: "manifest", files: [OPERATOR] }, { removes: true, previous });
  expect([definition(), operator(), dev.find("rbac.authorization.k8s.io/v1", "ClusterRole", undefined, "kubevirt-operator")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  // Again: nothing is left to remove, and that is no error.
  await run({ do: "manifest", files: [OPERATOR] }, { removes: true, previous });
});

test("what a file does not have any more goes with its next version", async () => {
  await dev.namespace("kubevirt");
  const { objects } = JSON.parse(await apply([OPERATOR])) as { objects: object[] };
  const former = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "former", namespace: "kubevirt" } };
  dev.create(former);
  await apply([OPERATOR], { previous: JSON.stringify({ objects: [...objects, former] }) });
  expect(dev.find("v1", "ConfigMap", "kubevirt", "former")).toBeUndefined();
  expect(definition()).toBeDefined();
});

test("another digest than the pinned one is refused, and nothing is applied, of the files before it neither", async () => {
  await dev.namespace("kubevirt");
  const other = { ...OPERATOR, sha256: "0".repeat(64) };
  await expect(apply([OPERATOR, other])).rejects.toMatchObject({
    code: "E_MANIFEST",
    message: `${OPERATOR.url}: has the SHA-256 ${OPERATOR.sha256}, and not ${other.sha256} as pinned; nothing of it was applied`,
  });
  expect([definition(), operator()]).toEqual([undefined, undefined]);
});

test("a Deployment that is not available in time, and a finalizer that nobody takes, are errors that say which", async () => {
  await dev.namespace("kubevirt");
  world.ctx.faults.queue({ name: "kubernetes.image-pull", target: "quay.io/kubevirt/virt-operator:v1.9.0", times: 50 });
  await expect(apply([OPERATOR], {}, 2)).rejects.toMatchObject({ message: "Deployment kubevirt/virt-operator: is not Available within 2 s" });
  const previous = JSON.stringify({
    objects: [{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "kubevirts.kubevirt.io" } }],
  });
  dev.modify("apiextensions.k8s.io/v1", "CustomResourceDefinition", undefined, "kubevirts.kubevirt.io", (o) => ({
    ...o,
    metadata: { ...o.metadata, finalizers: ["example.org/hold"] },
  }));
  await expect(run({ do: "manifest", files: [OPERATOR] }, { removes: true, previous }, 2)).rejects.toMatchObject({
    message: "CustomResourceDefinition kubevirts.kubevirt.io: is not gone within 2 s",
  });
});

describe("from where it is published", () => {
  const TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: published, namespace: default }\n";
  const sha256 = createHash("sha256").update(TEXT).digest("hex");
  let served: { status: number; headers?: Record<string, string>; body?: string };
  const server = createServer((_, response) => {
    response.writeHead(served.status, served.headers);
    response.end(served.body);
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.yaml`;
  });
  beforeEach(() => {
    delete process.env["HOMELAB_CHART_STAND_IN"];
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  test("its own bytes are compared with the pin", async () => {
    served = { status: 200, body: TEXT };
    await apply([{ url, sha256 }]);
    expect(dev.find("v1", "ConfigMap", "default", "published")).toBeDefined();
    served = { status: 200, body: `${TEXT} ` };
    await expect(apply([{ url, sha256 }])).rejects.toMatchObject({ code: "E_MANIFEST", message: expect.stringContaining(`and not ${sha256} as pinned`) });
  });

  test.each([
    ["a missing file", { status: 404, body: "" }, "the download is refused with status 404"],
    ["a way that leaves https", { status: 302, headers: { location: "http://example.org/other" } }, "redirects to http://example.org, which is not https"],
  ])("%s is refused", async (_, answer, message) => {
    served = answer;
    await expect(apply([{ url, sha256 }])).rejects.toMatchObject({ code: "E_MANIFEST", message: `${url}: ${message}` });
  });

  test.each([
    ["no YAML", "a: [", "is no YAML"],
    ["no object", "a: 1\n", "contains a document that is no object of Kubernetes"],
  ])("a file that is %s is refused", async (_, body, message) => {
    served = { status: 200, body };
    const digest = createHash("sha256").update(body).digest("hex");
    await expect(apply([{ url, sha256: digest }])).rejects.toMatchObject({ message: expect.stringContaining(`${url}: ${message}`) });
  });
});
