/**
 * The controller of GitHub's runner sets, while its Deployment runs. A set that has its Secret gets a listener. Only the controller removes
 * the finalizers: without it a deleted set stays. No job ever arrives.
 */
import type { KubeObject } from "../kubernetes";
import { mapAt, numberAt, textAt } from "../kubernetes/objects";
import type { Kube } from "./kube";
import type { WorkQueue } from "./queue";

const API = "actions.github.com/v1alpha1";
const KIND = "AutoscalingRunnerSet";
/** Finalizers of sets, and of the objects that their chart makes with them. */
const FINALIZER = "autoscalingrunnerset.actions.github.com/finalizer";
const CLEAN_UP = "actions.github.com/cleanup-protection";
const ACCOUNT = "actions.github.com/cleanup-no-permission-service-account-name";

const listenerName = ({ metadata: { name } }: KubeObject): string => `${name}-listener`;

export class GithubRunners {
  constructor(
    private readonly kube: Kube,
    queue: WorkQueue,
    /** Namespace of the controller while it runs. */
    private readonly home: () => string | undefined,
  ) {
    this.#add = (set) => queue.add(KIND, set.metadata.namespace, set.metadata.name);
    queue.on(KIND, (namespace, name) => this.#set(namespace, name));
  }

  readonly #add: (set: KubeObject) => void;

  /** Queues everything that it manages; called when it starts. */
  resync(): void {
    for (const set of this.kube.all(API, KIND)) this.#add(set);
  }

  /** A Secret was created that a set may wait for. */
  secretChanged(namespace: string | undefined): void {
    if (this.home() === undefined) return;
    for (const set of this.kube.all(API, KIND, namespace)) this.#add(set);
  }

  #set(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const home = this.home();
    const set = kube.find(API, KIND, namespace, name);
    if (home === undefined || set === undefined) return;
    const listener = kube.find("v1", "Pod", home, listenerName(set));
    if (set.metadata.deletionTimestamp !== undefined) {
      if (listener !== undefined) kube.remove(listener);
      const account = kube.find("v1", "ServiceAccount", namespace, set.metadata.annotations?.[ACCOUNT] ?? "");
      if (account !== undefined) this.#finalizer(account, CLEAN_UP, false);
      this.#finalizer(set, FINALIZER, false);
      return;
    }
    this.#finalizer(set, FINALIZER, true);
    if (kube.find("v1", "Secret", namespace, textAt(set, "spec", "githubConfigSecret") ?? "") === undefined) return;
    if (listener === undefined) this.#listener(set, home);
    kube.status(set, { currentRunners: numberAt(set, "spec", "minRunners") ?? 0, pendingEphemeralRunners: 0, runningEphemeralRunners: 0 });
  }

  #finalizer(object: KubeObject, finalizer: string, wanted: boolean): void {
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer) === wanted) return;
    const next = wanted ? [...finalizers, finalizer] : finalizers.filter((other) => other !== finalizer);
    this.kube.modify(object, (current) => ({ ...current, metadata: { ...current.metadata, finalizers: next } }));
  }

  #listener(set: KubeObject, home: string): void {
    this.kube.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: listenerName(set), namespace: home, labels: { "actions.github.com/scale-set-name": set.metadata.name } },
      spec: {
        nodeName: this.kube.cluster.node,
        serviceAccountName: "default",
        ...mapAt(set, "spec", "listenerTemplate", "spec"),
        containers: [{ name: "listener", image: "ghcr.io/actions/gha-runner-scale-set-controller:0.14.2", command: ["/ghalistener"] }],
      },
    });
  }
}
