/** Everything that runs inside a cluster: k3s' controllers, the operators that charts install, and the programs behind some images. */
import type { LabContext, Persistent, Stoppable } from "../core/world";
import type { Cluster, KubeObject } from "../kubernetes";
import { at, listAt, numberAt } from "../kubernetes/objects";
import { ArgoCd } from "./argo-cd";
import { CertManager } from "./cert-manager";
import { CloudNativePg } from "./cloudnative-pg";
import { clusterBasics } from "./cluster-basics";
import { Containers } from "./containers";
import { Deployments } from "./deployments";
import { disruptionBudgets } from "./disruption-budgets";
import { follow } from "./events";
import { ExternalSecrets } from "./external-secrets";
import { GithubRunners } from "./github-runners";
import { IngressRoutes, type Routes } from "./ingress-routes";
import { IstioRoutes } from "./istio-routes";
import { Kube } from "./kube";
import { Longhorn } from "./longhorn";
import { Operands } from "./operands";
import { Pods } from "./pods";
import { Programs } from "./programs";
import { WorkQueue } from "./queue";
import { quotas } from "./quotas";
import { Services } from "./services";
import { workloadSets } from "./sets";
import { WebhookAuthorities } from "./webhook-authorities";

export interface Controllers extends Stoppable, Persistent {
  /** Who serves the cluster's routes; the first that knows a host answers. */
  readonly routes: readonly Routes[];
  /** Resolves when no work is queued or running. Work that is scheduled for later does not count. */
  settled(): Promise<void>;
}

/** Operators by their image. A container whose first argument is in `others` is another part of the same software. */
const OPERATORS = {
  certManager: { image: /(^|\/)cert-manager-controller([:@]|$)/, others: [] },
  externalSecrets: { image: /(^|\/)external-secrets([:@]|$)/, others: ["webhook", "certcontroller"] },
  cloudNativePg: { image: /(^|\/)cloudnative-pg\/cloudnative-pg([:@]|$)/, others: [] },
  githubRunners: { image: /(^|\/)gha-runner-scale-set-controller([:@]|$)/, others: [] },
} as const;

type Operator = (typeof OPERATORS)[keyof typeof OPERATORS];

function runs(deployment: KubeObject, { image, others }: Operator): boolean {
  const [container] = listAt(deployment, "spec", "template", "spec", "containers");
  const first = String(at(container, "args", 0) ?? "");
  return (
    image.test(String(container?.["image"] ?? "")) && !others.some((other) => other === first) && (numberAt(deployment, "status", "availableReplicas") ?? 0) > 0
  );
}

function isOperator(object: KubeObject): boolean {
  const image = String(listAt(object, "spec", "template", "spec", "containers")[0]?.["image"] ?? "");
  return Object.values(OPERATORS).some((operator) => operator.image.test(image));
}

/** All existing objects, for the first round. */
function addAll(kube: Kube, queue: WorkQueue): void {
  const { store } = kube;
  for (const type of store.types.namespaced()) for (const { kind, metadata } of store.list(type)) queue.add(kind, metadata.namespace, metadata.name);
  for (const { kind, metadata } of [...kube.all("v1", "Namespace"), ...kube.all("apiextensions.k8s.io/v1", "CustomResourceDefinition")])
    queue.add(kind, undefined, metadata.name);
}

/** The cluster's own controllers. */
function kubernetesItself(kube: Kube, queue: WorkQueue, programs: Programs, ctx: LabContext): void {
  clusterBasics(kube, queue, ctx);
  quotas(kube, queue);
  new Deployments(kube, queue);
  workloadSets(kube, queue);
  disruptionBudgets(kube, queue);
  new Pods(kube, queue, programs, ctx);
  new Services(kube, queue);
}

/** What a client of the API reaches in pods. */
function openPods({ cluster }: Kube, programs: Programs, containers: Containers): void {
  cluster.setPrograms({
    output: (namespace, pod) => programs.outputOf(`${namespace}/${pod}`),
    portOf: (pod, port) => programs.connection(pod, port),
    run: (...command) => containers.run(...command),
  });
}

const routesOf = (kube: Kube, programs: Programs, ctx: LabContext): Controllers["routes"] => [
  new IngressRoutes(kube, programs),
  new IstioRoutes(kube, programs, (what) => ctx.unhandled.add({ system: "istio", target: kube.cluster.name, what: `${what} is not modelled` })),
];

/**
 * Starts them for a cluster; work begins after the current turn of the event loop, so that `restore` may still follow.
 * @param saved what `save` gave
 */
export function startControllers(cluster: Cluster, ctx: LabContext, saved?: unknown): Controllers {
  const { store } = cluster;
  const queue = new WorkQueue(cluster.name, ctx);
  const kube = new Kube(cluster, "k3s");
  const programs = new Programs(kube, ctx, queue, (namespace, name) => queue.add("Pod", namespace, name));
  if (saved !== undefined) programs.resume(saved);
  openPods(kube, programs, new Containers(kube, ctx));
  kubernetesItself(kube, queue, programs, ctx);
  new WebhookAuthorities(new Kube(cluster, "cainjector"), queue, ctx);

  new Longhorn(new Kube(cluster, "longhorn-manager"), queue);
  const operands = new Operands(new Kube(cluster, "operator"), queue);
  const running: Partial<Record<keyof typeof OPERATORS, string | undefined>> = {};
  const certManager = new CertManager(new Kube(cluster, "cert-manager-controller"), queue, ctx, () => running.certManager);
  const externalSecrets = new ExternalSecrets(new Kube(cluster, "external-secrets"), queue, ctx, () => running.externalSecrets !== undefined);
  const cloudNativePg = new CloudNativePg(new Kube(cluster, "cloudnative-pg"), queue, () => running.cloudNativePg !== undefined);
  const githubRunners = new GithubRunners(new Kube(cluster, "ghactions"), queue, () => running.githubRunners);
  const argoCd = new ArgoCd(cluster, queue, ctx);
  const lookForOperators = (): void => {
    const deployments = kube.all("apps/v1", "Deployment");
    const homeOf = (operator: Operator): string | undefined => deployments.find((deployment) => runs(deployment, operator))?.metadata.namespace;
    const before = { ...running };
    for (const [name, controller] of Object.entries({ certManager, externalSecrets, cloudNativePg, githubRunners })) {
      const key = name as keyof typeof OPERATORS;
      running[key] = homeOf(OPERATORS[key]);
      if (running[key] !== undefined && running[key] !== before[key]) controller.resync();
    }
  };

  const release = store.onChange(({ type, object, previous }) => {
    follow(kube, queue, object, previous, type === "DELETED");
    if (object.kind === "Deployment" && isOperator(object)) lookForOperators();
    operands.changed(object);
    argoCd.changed(object);
    if (object.kind === "Secret") {
      certManager.secretChanged(object.metadata.namespace, object.metadata.name);
      cloudNativePg.secretChanged(object.metadata.namespace);
      githubRunners.secretChanged(object.metadata.namespace);
      externalSecrets.secretChanged(object.metadata.namespace, object.metadata.name);
    }
    if (object.kind === "Namespace") externalSecrets.namespaceChanged();
    if (object.kind === "PersistentVolumeClaim" && type === "DELETED") programs.sweep();
  });
  lookForOperators();
  argoCd.look();
  addAll(kube, queue);

  return {
    routes: routesOf(kube, programs, ctx),
    settled: () => queue.settled(),
    save: () => programs.save(),
    restore: async (state) => programs.resume(state),
    stop: async () => {
      release();
      externalSecrets.stop();
      await queue.stop();
      argoCd.stop();
      await programs.stop();
    },
  };
}
