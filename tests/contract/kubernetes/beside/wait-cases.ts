/** When an object counts as ready, by what its controllers write about it: the test writes that itself. */
import type { Values } from "../../../../providers/sdk/values";
import { partialFailure, type State } from "../../../support/test-provider";
import { type Body, MERGE } from "../under-test";
import type { Case, Side } from "./bench";

const background = { "pulumi.com/deletionPropagationPolicy": "background" };
const labels = { app: "web" };
const time = "2026-01-01T00:00:00Z";
/** Seconds that a wait has which cannot end well. */
const LIMIT = 3;
/** Seconds in which one comes to be that can. */
const ENOUGH = 120;
/** Seconds for what is ready for us at once, and for the official provider never. */
const OURS_ALONE = 30;

const containers = [{ name: "web", image: "nginx:1.27" }];
const template = { metadata: { labels }, spec: { containers } };
const metadata = (side: Side, name: string, annotations: Values = {}): Values => ({
  name,
  namespace: side.mark,
  annotations: { ...background, ...annotations },
});
const condition = (type: string, status: string, reason: string): Body => ({ type, status, reason, message: reason, lastTransitionTime: time });

interface Waited {
  title: string;
  type: string;
  /** Below `/apis/…/namespaces/<side>/`, with the group: `apis/apps/v1 deployments`. */
  path: readonly [string, string];
  spec?: Values;
  more?: Values;
  annotations?: Values;
  /** What is written to its status once it is there. */
  status?: Body;
  /** Seconds; default: enough. */
  timeout?: number;
}

const DEPLOYMENTS = ["apis/apps/v1", "deployments"] as const;
const web = { replicas: 1, selector: { matchLabels: labels }, template };
const ready = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const rolledOut = [condition("Available", "True", "MinimumReplicasAvailable"), condition("Progressing", "True", "NewReplicaSetAvailable")];
const jobSpec = { template: { spec: { restartPolicy: "Never", containers } } };
const JOBS = ["apis/batch/v1", "jobs"] as const;
const jobCondition = (type: string, reason: string): Body => ({ ...condition(type, "True", reason), lastProbeTime: time });

const WAITED: Waited[] = [
  {
    title: "a deployment that is rolled out",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    status: { ...ready, conditions: rolledOut },
    timeout: OURS_ALONE,
  },
  { title: "a deployment that nobody sees", type: "apps/v1:Deployment", path: DEPLOYMENTS, spec: web, timeout: LIMIT },
  {
    title: "a deployment that progresses",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    status: {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      unavailableReplicas: 1,
      conditions: [condition("Progressing", "True", "ReplicaSetUpdated")],
    },
    timeout: LIMIT,
  },
  {
    title: "a deployment that failed",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    status: {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      unavailableReplicas: 1,
      conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded")],
    },
    timeout: LIMIT,
  },
  { title: "a deployment that is paused", type: "apps/v1:Deployment", path: DEPLOYMENTS, spec: { ...web, paused: true }, timeout: LIMIT },
  {
    title: "a deployment without replicas",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: { ...web, replicas: 0 },
    status: { observedGeneration: 1, conditions: rolledOut },
    timeout: OURS_ALONE,
  },
  { title: "a deployment that is not waited for", type: "apps/v1:Deployment", path: DEPLOYMENTS, spec: web, annotations: { "pulumi.com/skipAwait": "true" } },
  {
    title: "a deployment with a condition of its own",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    annotations: { "pulumi.com/waitFor": "condition=Available" },
    status: { observedGeneration: 1, conditions: [condition("Available", "True", "MinimumReplicasAvailable")] },
  },
  {
    title: "a deployment with a path of its own",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    annotations: { "pulumi.com/waitFor": "jsonpath={.status.readyReplicas}=1" },
    status: { observedGeneration: 1, replicas: 1, readyReplicas: 1 },
  },
  {
    title: "a deployment whose own condition never comes",
    type: "apps/v1:Deployment",
    path: DEPLOYMENTS,
    spec: web,
    annotations: { "pulumi.com/waitFor": "condition=Never" },
    timeout: LIMIT,
  },
  { title: "the annotation's limit", type: "apps/v1:Deployment", path: DEPLOYMENTS, spec: web, annotations: { "pulumi.com/timeoutSeconds": String(LIMIT) } },
  {
    title: "a stateful set that is ready",
    type: "apps/v1:StatefulSet",
    path: ["apis/apps/v1", "statefulsets"],
    spec: { ...web, serviceName: "web" },
    status: { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentReplicas: 1, currentRevision: "r1", updateRevision: "r1" },
  },
  {
    title: "a stateful set that nobody sees",
    type: "apps/v1:StatefulSet",
    path: ["apis/apps/v1", "statefulsets"],
    spec: { ...web, serviceName: "web" },
    timeout: LIMIT,
  },
  {
    title: "a daemon set that is ready",
    type: "apps/v1:DaemonSet",
    path: ["apis/apps/v1", "daemonsets"],
    spec: { selector: { matchLabels: labels }, template },
    status: {
      observedGeneration: 1,
      desiredNumberScheduled: 1,
      currentNumberScheduled: 1,
      updatedNumberScheduled: 1,
      numberReady: 1,
      numberAvailable: 1,
      numberMisscheduled: 0,
    },
  },
  {
    title: "a daemon set that is not",
    type: "apps/v1:DaemonSet",
    path: ["apis/apps/v1", "daemonsets"],
    spec: { selector: { matchLabels: labels }, template },
    status: { observedGeneration: 1, desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 1, numberReady: 0, numberMisscheduled: 0 },
    timeout: LIMIT,
  },
  {
    title: "a job that is complete",
    type: "batch/v1:Job",
    path: JOBS,
    spec: jobSpec,
    status: {
      startTime: time,
      completionTime: time,
      succeeded: 1,
      conditions: [jobCondition("SuccessCriteriaMet", "CompletionsReached"), jobCondition("Complete", "CompletionsReached")],
    },
  },
  { title: "a job that nobody runs", type: "batch/v1:Job", path: JOBS, spec: jobSpec, timeout: LIMIT },
  {
    title: "a job that failed",
    type: "batch/v1:Job",
    path: JOBS,
    spec: jobSpec,
    status: { startTime: time, failed: 7, conditions: [jobCondition("FailureTarget", "BackoffLimitExceeded"), jobCondition("Failed", "BackoffLimitExceeded")] },
    timeout: LIMIT,
  },
  { title: "a job that is suspended", type: "batch/v1:Job", path: JOBS, spec: { ...jobSpec, suspend: true }, timeout: LIMIT },
  {
    title: "a pod that is ready",
    type: "core/v1:Pod",
    path: ["api/v1", "pods"],
    spec: { containers },
    status: { phase: "Running", conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => condition(type, "True", "")) },
  },
  {
    title: "a pod that is done",
    type: "core/v1:Pod",
    path: ["api/v1", "pods"],
    spec: { containers, restartPolicy: "Never" },
    // As a kubelet writes it.
    status: {
      phase: "Succeeded",
      conditions: [
        ...["PodScheduled", "Initialized"].map((type) => condition(type, "True", "PodCompleted")),
        ...["ContainersReady", "Ready"].map((type) => condition(type, "False", "PodCompleted")),
      ],
    },
  },
  {
    title: "a pod that failed",
    type: "core/v1:Pod",
    path: ["api/v1", "pods"],
    spec: { containers, restartPolicy: "Never" },
    status: { phase: "Failed", conditions: [condition("Ready", "False", "PodFailed")] },
    timeout: LIMIT,
  },
  { title: "a pod that is pending", type: "core/v1:Pod", path: ["api/v1", "pods"], spec: { containers }, timeout: LIMIT },
  { title: "a service without pods", type: "core/v1:Service", path: ["api/v1", "services"], spec: { ports: [{ port: 80 }] }, timeout: LIMIT },
  {
    title: "a service that no pod answers for",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { selector: labels, ports: [{ port: 80 }] },
    timeout: OURS_ALONE,
  },
  {
    title: "a headless service",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { clusterIP: "None", selector: labels, ports: [{ port: 80 }] },
    timeout: LIMIT,
  },
  {
    title: "an external name",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "ExternalName", externalName: "a.example" },
    timeout: LIMIT,
  },
  {
    title: "a load balancer without an address",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    timeout: LIMIT,
  },
  {
    title: "a load balancer with an address",
    type: "core/v1:Service",
    path: ["api/v1", "services"],
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } },
  },
  {
    title: "a claim that is bound",
    type: "core/v1:PersistentVolumeClaim",
    path: ["api/v1", "persistentvolumeclaims"],
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    status: { phase: "Bound" },
  },
  {
    title: "a claim that is pending",
    type: "core/v1:PersistentVolumeClaim",
    path: ["api/v1", "persistentvolumeclaims"],
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } },
    timeout: LIMIT,
  },
  {
    title: "an ingress with an address",
    type: "networking.k8s.io/v1:Ingress",
    path: ["apis/networking.k8s.io/v1", "ingresses"],
    spec: { defaultBackend: { service: { name: "nobody", port: { number: 80 } } } },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  },
  {
    title: "an ingress without one",
    type: "networking.k8s.io/v1:Ingress",
    path: ["apis/networking.k8s.io/v1", "ingresses"],
    spec: { defaultBackend: { service: { name: "nobody", port: { number: 80 } } } },
    timeout: LIMIT,
  },
  { title: "a service account", type: "core/v1:ServiceAccount", path: ["api/v1", "serviceaccounts"], timeout: LIMIT },
  {
    title: "a token that nobody fills in",
    type: "core/v1:Secret",
    path: ["api/v1", "secrets"],
    more: { type: "kubernetes.io/service-account-token" },
    annotations: { "kubernetes.io/service-account.name": "default" },
    timeout: LIMIT,
  },
];

/** Looks seldom: with all cases at once, more looks would be most of what the API has to do. */
async function untilThere(side: Side, path: string): Promise<void> {
  for (const deadline = Date.now() + ENOUGH * 1000; Date.now() < deadline; ) {
    const found = await side.api.call("GET", path).catch(() => undefined);
    if (found !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${path} did not come`);
}

/** How a wait ended, and what is kept. What its controllers wrote meanwhile is a matter of time. */
async function outcome(side: Side, step: string, work: Promise<State | undefined>): Promise<State | undefined> {
  const kept = (how: string, { id, outputs }: Pick<State, "id" | "outputs">): void =>
    side.record.note(step, { how, id, inputs: outputs["__inputs"] ?? "<none>" });
  try {
    const state = await work;
    if (state !== undefined) kept("ready", state);
    return state;
  } catch (thrown) {
    const partial = partialFailure(thrown);
    if (partial === undefined) throw thrown;
    kept("not ready", partial);
    side.record.errors.push(`${step}: ${partial.reasons.join("; ")}`);
    return { inputs: {}, ...partial };
  }
}

const caseOf = ({ title, type: token, path: [group, plural], spec, more, annotations, status, timeout = ENOUGH }: Waited, i: number): Case => ({
  title,
  async run(side) {
    const { plugin, api, mark } = side;
    const type = `kubernetes:${token}`;
    const name = `wait-${i}`;
    const { inputs } = await plugin.check(type, { metadata: metadata(side, name, annotations), ...(spec === undefined ? {} : { spec }), ...more });
    const creation = plugin.create(type, inputs, { timeout: annotations?.["pulumi.com/timeoutSeconds"] === undefined ? timeout : 0 });
    // Its failure is looked at below.
    creation.catch(() => undefined);
    const path = `/${group}/namespaces/${mark}/${plural}/${name}`;
    if (status !== undefined) {
      await untilThere(side, path);
      await api.call("PATCH", `${path}/status`, { status }, { manager: "controller", type: MERGE });
    }
    const made = await outcome(side, "create", creation);
    if (made !== undefined) await outcome(side, "read", plugin.read(type, { id: made.id, inputs, outputs: made.outputs }));
  },
});

export const WAIT_CASES: Case[] = [
  ...WAITED.map(caseOf),
  {
    title: "a cancelled wait",
    async run(side) {
      const plugin = await side.start({});
      try {
        const { inputs } = await plugin.check("kubernetes:batch/v1:Job", { metadata: metadata(side, "cancelled"), spec: jobSpec });
        const creation = plugin.create("kubernetes:batch/v1:Job", inputs, { timeout: 60 });
        creation.catch(() => undefined);
        await untilThere(side, `/apis/batch/v1/namespaces/${side.mark}/jobs/cancelled`);
        await plugin.cancel();
        await outcome(side, "create", creation);
      } finally {
        await plugin.close();
      }
    },
  },
  {
    title: "a deletion that a finalizer holds",
    async run(side) {
      const { plugin, record, api } = side;
      const type = "kubernetes:core/v1:ConfigMap";
      const made = await plugin.make(type, { metadata: { ...metadata(side, "held"), finalizers: ["example.com/held"] }, data: {} });
      await record.step(
        "delete",
        plugin.delete(type, made, { timeout: LIMIT }).then(() => undefined),
      );
      await api.call("PATCH", `/api/v1/namespaces/${side.mark}/configmaps/held`, { metadata: { finalizers: null } }, { type: MERGE });
    },
  },
  {
    title: "a job that is to be made anew until it is done",
    async run(side) {
      const { plugin, record } = side;
      const type = "kubernetes:batch/v1:Job";
      const news = { metadata: metadata(side, "anew", { "pulumi.com/skipAwait": "true", "pulumi.com/replaceUnready": "true" }), spec: jobSpec };
      const made = await plugin.make(type, news);
      await record.step("diff", plugin.diff(type, made, made.inputs));
    },
  },
];
