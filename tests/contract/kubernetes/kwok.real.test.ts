/**
 * What the provider waits for, where nobody but Kubernetes writes a status: the real controllers make the pods, and kwok plays the
 * kubelet. There is no scheduler, so each pod names its node.
 */
import { provider } from "../../../providers/kubernetes/provider";
import type { Values } from "../../../providers/sdk/values";
import { describeReal } from "../../support/real-parts";
import { partialFailure, type State, TestProvider } from "../../support/test-provider";
import { type Body, type KubernetesUnderTest, startRealApi } from "./under-test";

const CONTROLLERS = ["deployment-controller", "replicaset-controller", "job-controller"];
const NODE = "played";
const NAMESPACE = "apps";

const pod = (labels: Values, nodeName: string, more: Values = {}): Values => ({
  metadata: { labels },
  spec: { nodeName, containers: [{ name: "web", image: "example.org/web:1.0" }], ...more },
});
const deployment = (name: string, replicas: number, image?: string): Values => {
  const labels = { app: name };
  const template = pod(labels, NODE, image === undefined ? {} : { containers: [{ name: "web", image }] });
  return { metadata: { name, namespace: NAMESPACE }, spec: { replicas, selector: { matchLabels: labels }, template } };
};

describeReal(["kube-apiserver", "etcd", "kube-controller-manager", "kwok"], "waits, with the real controllers and kwok's kubelet", (pathOf) => {
  let api: KubernetesUnderTest;
  let plugin: TestProvider;
  beforeAll(async () => {
    api = await startRealApi(pathOf, { controllerManager: pathOf("kube-controller-manager"), alsoRuns: CONTROLLERS, kwok: pathOf("kwok") });
    await api.call("POST", "/api/v1/nodes", { metadata: { name: NODE, labels: { "kubernetes.io/hostname": NODE } } });
    plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
  });
  afterAll(async () => {
    await plugin.close();
    await api.stop();
  });

  let namespace: State;
  const created = async (type: string, news: Values, timeout = 240) => {
    const { inputs, failures } = await plugin.check(type, news);
    expect(failures).toEqual([]);
    return plugin.create(type, inputs, { timeout });
  };
  const pods = async (): Promise<string[]> => {
    const { items } = (await api.call("GET", `/api/v1/namespaces/${NAMESPACE}/pods`)) as unknown as { items: { status: { phase: string } }[] };
    return items.map(({ status }) => status.phase);
  };
  const statusOf = async (kind: string, name: string): Promise<Body> => {
    const object = await api.call("GET", `/apis/${kind}/${name}`);
    return object["status"] as Body;
  };

  test("a Deployment is done when its pods run, again after a change, and gone with them", async () => {
    namespace = await created("kubernetes:core/v1:Namespace", { metadata: { name: NAMESPACE } });
    const type = "kubernetes:apps/v1:Deployment";
    const made = await created(type, deployment("web", 3));
    expect([made.id, await pods()]).toEqual([`${NAMESPACE}/web`, ["Running", "Running", "Running"]]);
    expect(await statusOf(`apps/v1/namespaces/${NAMESPACE}/deployments`, "web")).toMatchObject({ readyReplicas: 3, updatedReplicas: 3 });

    const { inputs } = await plugin.check(type, deployment("web", 2, "example.org/web:1.1"), made.inputs);
    const changed = await plugin.update(type, made, inputs, { timeout: 240 });
    expect(await statusOf(`apps/v1/namespaces/${NAMESPACE}/deployments`, "web")).toMatchObject({ observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 });
    await plugin.delete(type, changed, { timeout: 240 });
    expect(await pods()).toEqual([]);
  });

  test("a Job is done when its pod has ended", async () => {
    const template = pod({}, NODE, { restartPolicy: "Never" });
    const made = await created("kubernetes:batch/v1:Job", { metadata: { name: "once", namespace: NAMESPACE }, spec: { template } });
    expect(made.outputs).toMatchObject({ status: { succeeded: 1 } });
  });

  test("a pod on a node that does not exist is kept with what it waits for", async () => {
    const lost = {
      metadata: { name: "lost", namespace: "default" },
      spec: { nodeName: "nowhere", containers: [{ name: "web", image: "example.org/web:1.0" }] },
    };
    const thrown: unknown = await created("kubernetes:core/v1:Pod", lost, 5).catch((error: unknown) => error);
    expect(partialFailure(thrown)).toMatchObject({ id: "default/lost", reasons: [expect.stringContaining("not ready after 5 s")] });
  });

  test("a namespace is gone when all in it is gone", async () => {
    await plugin.delete("kubernetes:core/v1:Namespace", namespace, { timeout: 240 });
    await expect(api.call("GET", `/api/v1/namespaces/${NAMESPACE}`)).rejects.toThrow("404");
  });
});
