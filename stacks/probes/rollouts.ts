/** Whether an application runs the image of the settings in its cluster: the checks of `kubectl rollout status`, and that of the image. */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { type Attempt, retry } from "../../common/retry";
import type { ClusterApi } from "../../components/base/cluster-api";
import { reason } from "./finding";

export interface WantedApp {
  /** Also that of its namespace and its Deployment. */
  readonly name: string;
  readonly image: string;
}

export interface Rollout {
  /** `failed`: its controller has given up, and time alone changes nothing. */
  readonly state: "done" | "progressing" | "failed";
  readonly says: string;
}

const deploymentSchema = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({
    replicas: z.number().default(1),
    template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
  }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions: z.array(z.object({ type: z.string(), reason: z.string().default(""), message: z.string().default("") })).default([]),
    })
    .prefault({}),
});

const progressing = (says: string): Rollout => ({ state: "progressing", says });

/** In the order of kubectl (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
function stateOf(deployment: z.infer<typeof deploymentSchema>, image: string): Rollout {
  const { metadata, spec, status } = deployment;
  const images = spec.template.spec.containers.map((container) => container.image);
  if (!images.includes(image)) return progressing(`is still told to run ${images.join(", ")}`);
  if (status.observedGeneration < metadata.generation) return progressing("its controller has not seen the change");
  const late = status.conditions.find(({ type, reason: why }) => type === "Progressing" && why === "ProgressDeadlineExceeded");
  if (late !== undefined) return { state: "failed", says: late.message === "" ? "its controller has given up" : late.message };
  if (status.updatedReplicas < spec.replicas) return progressing(`${status.updatedReplicas} of ${spec.replicas} replicas are new`);
  if (status.replicas > status.updatedReplicas) return progressing(`former replicas are still there: ${status.replicas - status.updatedReplicas}`);
  if (status.availableReplicas < status.updatedReplicas)
    return progressing(`${status.availableReplicas} of ${status.updatedReplicas} new replicas are available`);
  return { state: "done", says: `${status.availableReplicas} of ${spec.replicas} replicas run it` };
}

/** Never throws: for a cluster that does not answer, the rollout is progressing. */
export async function rolloutOf(api: Pick<ClusterApi, "request">, { name, image }: WantedApp): Promise<Rollout> {
  try {
    const { status, message, body } = await api.request("GET", `/apis/apps/v1/namespaces/${name}/deployments/${name}`);
    if (status === 404) return progressing("has no Deployment");
    return status === 200 ? stateOf(deploymentSchema.parse(body), image) : progressing(`the cluster does not say: ${message}`);
  } catch (thrown) {
    return progressing(reason(thrown));
  }
}

const PAUSE_MS = 5_000;

/** Asks again until each is done or failed, or the time is over. @param seconds 0: asks once */
export async function waitForRollouts<T extends WantedApp & { readonly api: Pick<ClusterApi, "request"> }>(
  wanted: readonly T[],
  seconds: number,
  clock: Clock,
): Promise<Map<T, Rollout>> {
  const found = new Map<T, Rollout>();
  const isProgressing = (app: T): boolean => (found.get(app)?.state ?? "progressing") === "progressing";
  const ask = async (): Promise<void> => {
    for (const app of wanted.filter(isProgressing)) found.set(app, await rolloutOf(app.api, app));
  };
  const again = ({ elapsedMs }: Attempt<void>): number | undefined =>
    wanted.some(isProgressing) && elapsedMs + PAUSE_MS <= seconds * 1_000 ? PAUSE_MS : undefined;
  await retry(ask, { clock, firstMs: PAUSE_MS, longestMs: PAUSE_MS, again });
  return found;
}
