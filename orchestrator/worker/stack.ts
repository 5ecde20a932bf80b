/** The task's stack, opened by the Automation API. */
import * as path from "node:path";
import type { LocalWorkspace, PulumiCommand, Stack } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";
import { ENGINE_VERSION } from "../../common/engine-version";
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

/** The executable. Ours is not asked for its version, which takes a process of its own. */
async function command({ engineRoot }: WorkerTask): Promise<PulumiCommand> {
  const { PulumiCommand } = await automationApi();
  if (engineRoot === undefined) return PulumiCommand.get({});
  return Reflect.construct(PulumiCommand, [path.join(engineRoot, "bin", "pulumi"), new SemVer(ENGINE_VERSION)]) as PulumiCommand;
}

async function workspace(task: WorkerTask): Promise<LocalWorkspace> {
  const { LocalWorkspace } = await automationApi();
  return LocalWorkspace.create({ workDir: task.workDir, pulumiCommand: await command(task) });
}

/** The task's stack. Only operations that build one create it; for the others a missing stack is `undefined`: nothing to do. */
async function openStack(task: WorkerTask): Promise<Stack | undefined> {
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

/** The task's stack, taken to be there: each command names it, so that it need not be selected, which takes a process of its own. */
async function assumedStack(task: WorkerTask): Promise<Stack> {
  const { Stack } = await automationApi();
  const ws = await workspace(task);
  ws.selectStack = () => Promise.resolve(undefined);
  return Stack.select(task.stack, ws);
}

/**
 * Does something with the task's stack, which is made first where it is not there and the operation builds it.
 * @param use refuses a stack that is not there before it does anything
 * @returns undefined where there is no stack, and nothing to do
 */
export async function withStack<T>(task: WorkerTask, use: (stack: Stack) => Promise<T>): Promise<T | undefined> {
  const { StackNotFoundError } = await automationApi();
  // Before these use the stack, they run commands of their own on it.
  if (task.adopt !== true && task.unprotect !== true) {
    try {
      return await use(await assumedStack(task));
    } catch (thrown) {
      if (!(thrown instanceof StackNotFoundError)) throw thrown;
    }
  }
  const stack = await openStack(task);
  return stack === undefined ? undefined : use(stack);
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
