/** What the provider waits for, and what the state keeps of an object however the wait ends. The test writes each status itself. */
import { provider } from "../../../providers/kubernetes/provider";
import type { Values } from "../../../providers/sdk/values";
import { collectGarbage } from "../../support/garbage";
import { partialFailure, TestProvider } from "../../support/test-provider";
import { type Body, type KubernetesUnderTest, MERGE } from "./under-test";

const JOB = "kubernetes:batch/v1:Job";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";
const labels = { app: "web" };
const background = { "pulumi.com/deletionPropagationPolicy": "background" };

const job = (name: string, spec: Values = {}): Values => ({
  metadata: { name, annotations: background },
  spec: { ...spec, template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1.36" }] } } },
});
const deployment = (name: string, spec: Values = {}): Values => ({
  metadata: { name, annotations: background },
  spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx:1.27" }] } }, ...spec },
});

/** @param start an API without controllers */
export function waitsSuite(start: () => Promise<KubernetesUnderTest>): void {
  let api: KubernetesUnderTest;
  let plugin: TestProvider;

  beforeAll(async () => {
    api = await start();
  });
  beforeEach(async () => {
    plugin = await TestProvider.start(provider, { kubeconfig: api.kubeconfig });
  });
  afterEach(() => plugin.close());
  afterAll(async () => {
    await api.stop();
    expect(api.unhandled()).toEqual([]);
  });

  const jobs = "/apis/batch/v1/namespaces/default/jobs";
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  const status = (path: string, value: Body) => api.call("PATCH", `${path}/status`, { status: value }, { manager: "controller", type: MERGE });
  const untilThere = async (path: string): Promise<Body> => {
    for (let left = 600; left > 0; left--) {
      const found = await api.call("GET", path).catch(() => undefined);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${path} did not come`);
  };
  const created = async (type: string, news: Values, options: { timeout?: number } = {}) => {
    const { inputs, failures } = await plugin.check(type, news);
    expect(failures).toEqual([]);
    return plugin.create(type, inputs, options).catch((thrown: unknown) => {
      const failed = partialFailure(thrown);
      if (failed === undefined) throw thrown;
      return failed;
    });
  };
  const problemsOf = (outcome: object): readonly string[] => ("reasons" in outcome ? (outcome.reasons as string[]) : []);

  test("after customTimeouts the object is kept, with its own words, also when garbage was collected meanwhile", async () => {
    const creation = created(JOB, job("slow"), { timeout: 3 });
    await untilThere(`${jobs}/slow`);
    collectGarbage();
    const kept = await creation;
    expect(kept).toMatchObject({ id: "default/slow", outputs: { metadata: { name: "slow" }, __inputs: { kind: "Job" } } });
    expect(problemsOf(kept)).toEqual([
      "Job default/slow was applied, but it is not ready after 3 s: the job is not complete (0 active, 0 succeeded, 0 failed)",
    ]);
  });

  test("the annotation's limit counts where the resource has none", async () => {
    const news = job("annotated");
    const annotations = { ...background, "pulumi.com/timeoutSeconds": "1" };
    expect(problemsOf(await created(JOB, { ...news, metadata: { name: "annotated", annotations } }))[0]).toContain("not ready after 1 s");
  });

  test("after a cancellation the object is kept", async () => {
    const creation = created(JOB, job("cancelled"));
    await untilThere(`${jobs}/cancelled`);
    await plugin.cancel();
    const kept = await creation;
    expect(kept).toMatchObject({ id: "default/cancelled" });
    expect(problemsOf(kept)[0]).toMatch(
      /^Job default\/cancelled was applied, but (the operation was cancelled before it was ready: .*|whether it is ready could not be seen.*)$/,
    );
  });

  test("an update whose wait ends is kept likewise", async () => {
    const { inputs } = await plugin.check(DEPLOYMENT, {
      ...deployment("updated"),
      metadata: { name: "updated", annotations: { ...background, "pulumi.com/skipAwait": "true" } },
    });
    const made = await plugin.create(DEPLOYMENT, inputs);
    const news = (await plugin.check(DEPLOYMENT, deployment("updated", { replicas: 2 }), inputs)).inputs;
    const failed = partialFailure(await plugin.update(DEPLOYMENT, made, news, { timeout: 1 }).catch((thrown: unknown) => thrown));
    expect(failed?.reasons[0]).toContain("not ready after 1 s: the controller has not seen it yet");
    expect(failed?.outputs).toMatchObject({ spec: { replicas: 2 } });
  });

  test("a failed job ends the wait at once, with its reason", async () => {
    const creation = created(JOB, job("failing"));
    await untilThere(`${jobs}/failing`);
    const time = "2026-01-01T00:00:00Z";
    const condition = (type: string) => ({
      type,
      status: "True",
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
      lastProbeTime: time,
      lastTransitionTime: time,
    });
    await status(`${jobs}/failing`, { startTime: time, failed: 7, conditions: [condition("FailureTarget"), condition("Failed")] });
    expect(problemsOf(await creation)).toEqual([
      "Job default/failing was applied, but the job failed: BackoffLimitExceeded: Job has reached the specified backoff limit",
    ]);
  });

  test("what is suspended or paused is not waited for", async () => {
    expect(problemsOf(await created(JOB, job("suspended", { suspend: true })))).toEqual([]);
    expect(problemsOf(await created(DEPLOYMENT, deployment("paused", { paused: true })))).toEqual([]);
  });

  test("a deployment is ready when its controller has seen it and all replicas are updated and available", async () => {
    const creation = created(DEPLOYMENT, deployment("ready", { replicas: 2 }));
    await untilThere(`${deployments}/ready`);
    await status(`${deployments}/ready`, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
    });
    await status(`${deployments}/ready`, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      unavailableReplicas: 0,
    });
    const made = await creation;
    expect(problemsOf(made)).toEqual([]);
    // A refresh of an object that is no longer ready keeps it in the state, with what is wrong and its live inputs.
    await status(`${deployments}/ready`, { availableReplicas: 1, readyReplicas: 1, unavailableReplicas: 1 });
    const inputs = (await plugin.check(DEPLOYMENT, deployment("ready", { replicas: 2 }))).inputs;
    const failed = partialFailure(await plugin.read(DEPLOYMENT, { id: made.id, inputs, outputs: made.outputs }).catch((thrown: unknown) => thrown));
    expect(failed).toMatchObject({
      id: made.id,
      inputs: { spec: { replicas: 2 } },
      reasons: [expect.stringContaining("1 of 2 replicas are updated and available")],
    });
  });

  test("a service of type LoadBalancer waits for its address, others for none", async () => {
    const service = (name: string, type: string): Values => ({
      metadata: { name, annotations: background },
      spec: { type, ports: [{ port: 80 }], selector: labels },
    });
    expect(problemsOf(await created(SERVICE, service("plain", "ClusterIP")))).toEqual([]);
    expect(problemsOf(await created(SERVICE, service("balanced", "LoadBalancer"), { timeout: 1 }))[0]).toContain("the service has no load balancer address");
  });

  test.each([
    ["condition=Ready", "its condition Ready is not set"],
    ["jsonpath={.status.readyReplicas}=1", "status.readyReplicas is not set"],
    ['["condition=Available=True","jsonpath={.metadata.name}"]', "its condition Available is not set"],
  ])("pulumi.com/waitFor %s is waited for", async (waitFor, missing) => {
    const metadata = { name: "waits", annotations: { ...background, "pulumi.com/waitFor": waitFor } };
    const outcome = await created(DEPLOYMENT, { ...deployment("waits"), metadata }, { timeout: 1 });
    expect(problemsOf(outcome)[0]).toContain(missing);
    await plugin.delete(DEPLOYMENT, { id: outcome.id, inputs: { metadata }, outputs: outcome.outputs });
  });

  test("a deletion that a finalizer holds ends with its limit, in words", async () => {
    const finalized = { metadata: { name: "held", finalizers: ["example.com/held"], annotations: background }, data: {} };
    const made = await plugin.make("kubernetes:core/v1:ConfigMap", finalized);
    const failure = await plugin.delete("kubernetes:core/v1:ConfigMap", made, { timeout: 1 }).catch((thrown: Error) => thrown.message);
    expect(failure).toContain("ConfigMap default/held: it is being deleted, but is still there after 1 s: something holds one of its finalizers");
  });
}
