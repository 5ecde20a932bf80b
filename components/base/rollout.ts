/** Replaces the outdated pods of a StatefulSet with the update strategy `OnDelete`, which waits until somebody deletes them. */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import type { Answer, ClusterApi } from "./cluster-api";

const WAIT_MS = 1_000;
const REVISION = "controller-revision-hash";

const setSchema = z.object({
  metadata: z.object({ uid: z.string(), generation: z.number().default(1) }),
  spec: z.object({ selector: z.object({ matchLabels: z.record(z.string(), z.string()) }) }),
  status: z.object({ observedGeneration: z.number().default(0), updateRevision: z.string().optional() }).default({ observedGeneration: 0 }),
});
const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
  }),
  status: z.object({ phase: z.string().default("Pending") }).default({ phase: "Pending" }),
});
type Pod = z.output<typeof podSchema>;

export interface RolloutTask {
  /** The StatefulSet. */
  readonly set: { readonly namespace: string; readonly name: string };
  readonly budgetSeconds: number;
}

/** The highest ordinal goes first, as with a rolling update. */
const ordinal = ({ metadata }: Pod): number => Number(metadata.name.slice(metadata.name.lastIndexOf("-") + 1));

/**
 * Deletes, one by one, each pod that was made from an older template, and waits until its successor runs. The successor need not be
 * ready: a pod of Vault is ready only once it is unsealed.
 * @returns names of the pods that were replaced
 * @throws HomelabError E_ROLLOUT
 */
export async function rollOut(api: ClusterApi, { set: { namespace, name }, budgetSeconds }: RolloutTask, clock: Clock): Promise<string[]> {
  const what = `StatefulSet ${namespace}/${name}`;
  const fault = (problem: string, hint?: string): HomelabError =>
    new HomelabError("E_ROLLOUT", `${what}: ${problem}`, { subject: what, ...(hint === undefined ? {} : { hint }) });
  const deadline = clock.now() + budgetSeconds * 1000;
  const asked = async (path: string): Promise<Answer> => {
    const answer = await api.request("GET", path);
    if (answer.status !== 200) throw fault(`the cluster's API refuses to show it: ${answer.message}`);
    return answer;
  };
  /** Asks until there is an answer. */
  const until = async <T>(ask: () => Promise<T | undefined>, missing: string): Promise<T> => {
    for (;;) {
      const found = await ask();
      if (found !== undefined) return found;
      if (clock.now() + WAIT_MS > deadline)
        throw fault(`${missing} within ${budgetSeconds} s`, `look at its pods (kubectl -n ${namespace} describe pod), and run the stack again`);
      await clock.sleep(WAIT_MS);
    }
  };
  const { uid, spec, revision } = await until(async () => {
    const set = setSchema.parse((await asked(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`)).body);
    const seen = set.status.observedGeneration >= set.metadata.generation && set.status.updateRevision !== undefined;
    return seen ? { uid: set.metadata.uid, spec: set.spec, revision: set.status.updateRevision } : undefined;
  }, "its controller has not observed it");
  const labels = Object.entries(spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const folder = `/api/v1/namespaces/${namespace}/pods`;
  const pods = async (): Promise<Pod[]> => {
    const { body } = await asked(`${folder}?labelSelector=${encodeURIComponent(labels.join(","))}`);
    return z
      .object({ items: z.array(podSchema) })
      .parse(body)
      .items.filter(({ metadata }) => metadata.ownerReferences.some((owner) => owner.uid === uid));
  };
  const outdated = (await pods()).filter(({ metadata }) => metadata.labels[REVISION] !== revision).toSorted((a, b) => ordinal(b) - ordinal(a));
  for (const { metadata: former } of outdated) {
    const { status, message } = await api.request("DELETE", `${folder}/${former.name}`, { preconditions: { uid: former.uid } });
    // The pod is gone, or is another one by now: somebody else was faster.
    if (status >= 300 && status !== 404 && status !== 409) throw fault(`the cluster does not delete the pod ${former.name}: ${message}`);
    await until(
      async () => (await pods()).find(({ metadata, status }) => metadata.name === former.name && metadata.uid !== former.uid && status.phase === "Running"),
      `the pod ${former.name} was deleted, and the one in its place does not run`,
    );
  }
  return outdated.map(({ metadata }) => metadata.name);
}
