/** Gives each pod of a real Kubernetes API to one node, in place of a scheduler. */
import { z } from "zod";
import type { RealKubernetes } from "./real-kubernetes";
import { repeatedly } from "./repeatedly";

const podsSchema = z.object({
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string(), namespace: z.string() }) })),
});

/** Makes the node, and binds pods to it until `stop`, which throws a failure of the meantime. */
export async function scheduleTo(cluster: RealKubernetes, node: string): Promise<{ stop(): Promise<void> }> {
  await cluster.call("POST", "/api/v1/nodes", { metadata: { name: node } });
  return repeatedly(async () => {
    const { items } = podsSchema.parse(await cluster.call("GET", "/api/v1/pods?fieldSelector=spec.nodeName="));
    for (const { metadata } of items) {
      const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: metadata.name }, target: { apiVersion: "v1", kind: "Node", name: node } };
      // A pod may be deleted in the meantime.
      await cluster.call("POST", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/binding`, binding, { allowed: [404, 409] });
    }
  });
}
