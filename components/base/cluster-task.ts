/** The task of cluster-task.main.ts, without its process. */
import { z } from "zod";
import type { Clock } from "../../common/clock";
import { HomelabError } from "../../common/errors";
import { taskInput } from "../../common/task-input";
import { untilAdmitted } from "./admission";
import { applyCrds } from "./chart-crds";
import { openCluster } from "./cluster-api";
import { applyManifest, removeManifest } from "./manifest-files";
import { prepareRemoval, type RemovalTask } from "./removal";
import { rollOut } from "./rollout";

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const shared = { kubeconfig: z.string(), budgetSeconds: z.number() };
const taskSchema = z.discriminatedUnion("do", [
  // `revision` is not read. It makes the task of each revision a different one, so that the command runs again.
  z.strictObject({ do: z.literal("admission"), ...shared, release: z.string(), revision: z.number().optional(), objects: z.array(objectSchema) }),
  z.strictObject({ do: z.literal("manifest"), ...shared, files: z.array(z.strictObject({ url: z.string(), sha256: z.string() })) }),
  z.strictObject({
    do: z.literal("removal"),
    ...shared,
    of: z.string(),
    none: z.strictObject({ apiVersion: z.string(), kind: z.string(), namespace: z.string() }),
    set: z.array(objectSchema),
  }),
  z.strictObject({ do: z.literal("rollout"), ...shared, revision: z.number().optional(), set: z.strictObject({ namespace: z.string(), name: z.string() }) }),
  z.strictObject({ do: z.literal("crds"), ...shared, chart: z.strictObject({ repository: z.string(), name: z.string(), version: z.string() }) }),
]);

/** A task, without the connection to the cluster and the time limit. */
export type ClusterTask = z.input<typeof taskSchema> extends infer Task ? (Task extends unknown ? Omit<Task, "kubeconfig" | "budgetSeconds"> : never) : never;

/** How a task is run. */
export interface TaskRun {
  /** What its last run printed. */
  readonly previous?: string | undefined;
  /** Undo the task. Default false. */
  readonly removes?: boolean;
}

/**
 * @param input the task as JSON, with the cluster's kubeconfig
 * @returns one line of JSON
 * @throws HomelabError E_ADMISSION, E_CHART_CRDS, E_MANIFEST, E_REMOVAL, E_ROLLOUT, E_USAGE
 */
export async function runClusterTask(input: string, clock: Clock, { previous, removes = false }: TaskRun = {}): Promise<string> {
  const task = taskInput(taskSchema, input);
  const api = openCluster(task.kubeconfig);
  try {
    if (task.do === "manifest") {
      const objects = removes ? await removeManifest(api, task.budgetSeconds, clock, previous) : await applyManifest(api, task, clock, previous);
      return `${JSON.stringify({ objects })}\n`;
    }
    if (task.do === "removal") {
      // Only its removal does something.
      if (removes) await prepareRemoval(api, task as RemovalTask);
      return `${JSON.stringify({ prepared: removes })}\n`;
    }
    if (removes) throw new HomelabError("E_USAGE", `the task ${task.do} cannot be undone`);
    if (task.do === "crds") return `${JSON.stringify({ crds: await applyCrds(api, task, clock) })}\n`;
    if (task.do === "rollout") return `${JSON.stringify({ replaced: await rollOut(api, task, clock) })}\n`;
    const { release, objects, budgetSeconds } = task;
    await untilAdmitted(api, { release, objects: objects as Parameters<typeof untilAdmitted>[1]["objects"], budgetSeconds }, clock);
    return `${JSON.stringify({ admitted: task.objects.map(({ kind }) => kind) })}\n`;
  } finally {
    await api.close();
  }
}
