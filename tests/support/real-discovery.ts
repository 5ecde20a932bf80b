/** Where a real Kubernetes API has the objects of a kind. */
import type { RealKubernetes } from "./real-kubernetes";

export interface Sent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Group {
  readonly resources: readonly { name: string; kind: string; namespaced: boolean }[];
}

/** Finds the path of a kind's objects by the API's discovery. */
export class Discovery {
  readonly #groups = new Map<string, Group>();
  constructor(private readonly cluster: RealKubernetes) {}

  async pathOf({ apiVersion, kind, metadata: { name, namespace } }: Sent): Promise<string> {
    const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const group = this.#groups.get(root) ?? ((await this.cluster.call("GET", root)) as Group);
    this.#groups.set(root, group);
    const found = group.resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
    if (found === undefined) throw new Error(`the API has no kind ${kind} of ${apiVersion}`);
    if (found.namespaced !== (namespace !== undefined))
      throw new Error(`${kind} ${name}: a namespace ${found.namespaced ? "is missing" : "that the kind has not"}`);
    return `${root}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${found.name}/${name}`;
  }
}
