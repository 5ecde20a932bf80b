/** Argo CD's controller of ApplicationSets: it makes an Application of each element, and deletes those whose element was removed. */
import { type Kube, ownerOf } from "../controllers/kube";
import type { WorkQueue } from "../controllers/queue";
import type { KubeObject } from "../kubernetes";
import type { JsonMap } from "../kubernetes/objects";
import { applicationsOf, GenerateError } from "./generate";
import { ARGO_API, NotModelled, parseStrictly, setSchema } from "./schema";
import type { Unmodelled } from "./unmodelled";

const KIND = "ApplicationSet";

export class ApplicationSets {
  constructor(
    private readonly kube: Kube,
    private readonly queue: WorkQueue,
    private readonly home: () => string | undefined,
    private readonly unmodelled: Unmodelled,
  ) {
    queue.on(KIND, (namespace, name) => this.#set(namespace, name));
  }

  resync(): void {
    for (const { metadata } of this.kube.all(ARGO_API, KIND, this.home())) this.queue.add(KIND, metadata.namespace, metadata.name);
  }

  #set(namespace: string | undefined, name: string): void {
    const { kube } = this;
    const set = kube.find(ARGO_API, KIND, namespace, name);
    if (set === undefined || namespace === undefined || namespace !== this.home() || set.metadata.deletionTimestamp !== undefined) return;
    try {
      const wanted = applicationsOf(set, parseStrictly(setSchema, set["spec"], "spec"));
      this.#keep(set, wanted);
      this.#say(set, undefined, "All applications have been generated successfully");
    } catch (thrown) {
      if (!(thrown instanceof GenerateError) && !(thrown instanceof NotModelled)) throw thrown;
      if (thrown instanceof NotModelled) this.unmodelled.note(thrown.message);
      this.#say(set, thrown instanceof GenerateError ? "RenderTemplateParamsError" : "ApplicationGenerationFromParamsError", thrown.message);
    }
  }

  #keep(set: KubeObject, wanted: readonly KubeObject[]): void {
    const { kube } = this;
    const owned = kube.owned(ARGO_API, "Application", set);
    for (const application of wanted) {
      const { labels, annotations, finalizers } = application.metadata;
      const found = kube.find(ARGO_API, "Application", set.metadata.namespace, application.metadata.name);
      if (found === undefined) kube.create({ ...application, metadata: { ...application.metadata, ownerReferences: [ownerOf(set)] } });
      else if (!owned.some(({ metadata }) => metadata.name === found.metadata.name))
        throw new GenerateError(`Application ${found.metadata.name} is there already and not of this set`);
      else
        kube.modify(found, (current) => ({
          ...current,
          spec: application["spec"],
          metadata: {
            ...current.metadata,
            ...(labels === undefined ? {} : { labels }),
            // Requests of others on the Application stay, such as a refresh.
            ...(annotations === undefined ? {} : { annotations: { ...current.metadata.annotations, ...annotations } }),
            finalizers: finalizers ?? [],
          },
        }));
    }
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    for (const application of owned)
      if (!names.has(application.metadata.name) && application.metadata.deletionTimestamp === undefined) kube.remove(application);
  }

  /** @param error its reason; undefined: none */
  #say(set: KubeObject, error: string | undefined, message: string): void {
    const condition = (type: string, isTrue: boolean, reason: string): JsonMap => this.kube.condition(set, type, isTrue ? "True" : "False", reason, message);
    const reason = error ?? "ApplicationSetUpToDate";
    const conditions = [
      condition("ErrorOccurred", error !== undefined, reason),
      condition("ParametersGenerated", error === undefined, error ?? "ParametersGenerated"),
      condition("ResourcesUpToDate", error === undefined, reason),
    ];
    this.kube.status(set, { conditions });
  }
}
