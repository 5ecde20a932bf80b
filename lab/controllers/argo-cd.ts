/** Argo CD in a cluster: its controllers work while the pods of its chart run. */
import { ApplicationSets, Applications, ARGO_API, Unmodelled } from "../argo-cd";
import type { LabContext } from "../core/world";
import type { Cluster, KubeObject } from "../kubernetes";
import { at, listAt, numberAt } from "../kubernetes/objects";
import { Kube } from "./kube";
import type { WorkQueue } from "./queue";

const IMAGE = /(^|\/)argoproj\/argocd:v?(\d+)\./;
const WORKLOADS = ["StatefulSet", "Deployment"] as const;
const PARTS = ["argocd-application-controller", "argocd-repo-server", "argocd-applicationset-controller"] as const;
type Part = (typeof PARTS)[number];

/** The part that a workload runs, as its container's first argument names the program. */
function partOf(workload: KubeObject): { part: Part; major: number } | undefined {
  const [container] = listAt(workload, "spec", "template", "spec", "containers");
  const program = String(at(container, "args", 0) ?? "")
    .split("/")
    .at(-1);
  const major = IMAGE.exec(String(container?.["image"] ?? ""))?.[2];
  const part = PARTS.find((name) => name === program);
  return part === undefined || major === undefined ? undefined : { part, major: Number(major) };
}

export class ArgoCd {
  readonly #kube: Kube;
  readonly #applications: Applications;
  readonly #sets: ApplicationSets;
  readonly #unmodelled: Unmodelled;
  /** Where each part runs. */
  #running: Partial<Record<Part, string | undefined>> = {};

  constructor(cluster: Cluster, queue: WorkQueue, ctx: LabContext) {
    this.#kube = new Kube(cluster, "argocd-application-controller");
    this.#unmodelled = new Unmodelled(ctx, cluster.name);
    const home = (): string | undefined => {
      const namespace = this.#running["argocd-application-controller"];
      return this.#running["argocd-repo-server"] === namespace ? namespace : undefined;
    };
    this.#applications = new Applications(this.#kube, queue, ctx, home, this.#unmodelled);
    this.#sets = new ApplicationSets(
      new Kube(cluster, "argocd-applicationset-controller"),
      queue,
      () => this.#running["argocd-applicationset-controller"],
      this.#unmodelled,
    );
  }

  stop(): void {
    this.#applications.stop();
  }

  changed(object: KubeObject): void {
    if ((WORKLOADS as readonly string[]).includes(object.kind) && partOf(object) !== undefined) this.look();
    this.#applications.changed(object);
  }

  /** Finds out which parts run now. A part that has just started processes all objects. */
  look(): void {
    const before = this.#running;
    const now: Partial<Record<Part, string | undefined>> = {};
    for (const kind of WORKLOADS)
      for (const workload of this.#kube.all("apps/v1", kind)) {
        const found = partOf(workload);
        const ready = numberAt(workload, "status", kind === "StatefulSet" ? "readyReplicas" : "availableReplicas") ?? 0;
        if (found === undefined || ready === 0) continue;
        // Another major version tracks objects by a label and has other fields.
        if (found.major !== 3) this.#otherVersion(found.major);
        else now[found.part] = workload.metadata.namespace;
      }
    this.#running = now;
    if (PARTS.every((part) => now[part] === before[part])) return;
    this.#applications.resync();
    this.#sets.resync();
  }

  #otherVersion(major: number): void {
    if (this.#kube.all(ARGO_API, "Application").length > 0) this.#unmodelled.note(`Argo CD v${major} with Applications is not modelled`);
  }
}
