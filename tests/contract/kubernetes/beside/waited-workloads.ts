/** When a workload counts as ready: deployments, stateful and daemon sets, jobs and pods. */
import type { Body } from "../under-test";
import { containers, jobSpec, LIMIT, labels, OURS_ALONE, type Waited } from "./waited";

const time = "2026-01-01T00:00:00Z";
const template = { metadata: { labels }, spec: { containers } };
const condition = (type: string, status: string, reason: string): Body => ({ type, status, reason, message: reason, lastTransitionTime: time });
const DEPLOYMENTS = ["apis/apps/v1", "deployments"] as const;
const web = { replicas: 1, selector: { matchLabels: labels }, template };
const ready = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const rolledOut = [condition("Available", "True", "MinimumReplicasAvailable"), condition("Progressing", "True", "NewReplicaSetAvailable")];
const JOBS = ["apis/batch/v1", "jobs"] as const;
const jobCondition = (type: string, reason: string): Body => ({ ...condition(type, "True", reason), lastProbeTime: time });

export const WAITED_WORKLOADS: Waited[] = [
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
];
