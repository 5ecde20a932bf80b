/** The task's stack, opened by the Automation API. */
import type { Stack } from "@pulumi/pulumi/automation";
import { engineRunner } from "../target/engine";
import type { WorkerResult, WorkerTask } from "./worker-protocol";

let automation: Promise<typeof import("@pulumi/pulumi/automation")> | undefined;

/** The Automation API; loading it takes about half a second, which a waiting worker spends before it has a task. */
export function automationApi(): Promise<typeof import("@pulumi/pulumi/automation")> {
  if (automation === undefined) {
    automation = import("@pulumi/pulumi/automation/index.js");
  }
  return automation;
}

async function workspace(task: WorkerTask) {
  const { LocalWorkspace, PulumiCommand } = await automationApi();
  const pulumiCommand = await PulumiCommand.get(task.engineRoot === undefined ? {} : { root: task.engineRoot });
  return LocalWorkspace.create({ workDir: task.workDir, pulumiCommand });
}

/** The task's stack. Only operations that build one create it; for the others a missing stack is `undefined`: nothing to do. */
export async function openStack(task: WorkerTask): Promise<Stack | undefined> {
  const automation = await automationApi();
  const ws = await workspace(task);
  if (task.operation === "up" || task.operation === "preview") return automation.Stack.createOrSelect(task.stack, ws);
  try {
    return await automation.Stack.select(task.stack, ws);
  } catch (thrown) {
    if (thrown instanceof automation.StackNotFoundError) return undefined;
    throw thrown;
  }
}

/** From then on nothing in the stack's state is protected. */
export async function unprotectAll(task: WorkerTask): Promise<void> {
  await engineRunner(task.engineRoot, task.workDir)(["state", "unprotect", "--all", "--yes", "--stack", task.stack], {});
}

/** What the backend knows of the stack, without running anything. */
export async function stackState(task: WorkerTask): Promise<NonNullable<WorkerResult["state"]>> {
  const ws = await workspace(task);
  const found = (await ws.listStacks()).find((summary) => summary.name === task.stack);
  return {
    exists: found !== undefined,
    resources: found?.resourceCount ?? 0,
    lastUpdate: found?.lastUpdate,
    locked: found?.updateInProgress ?? false,
  };
}
