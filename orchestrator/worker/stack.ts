/** The task's stack, opened by the Automation API. */
import * as path from "node:path";
import type { LocalWorkspace, OutputMap, PulumiCommand, Stack } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";
import { ENGINE_VERSION } from "../../common/engine-version";
import { engineRunner } from "../target/engine";
import { exportedOutputs } from "./exported-outputs";
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

/**
 * The task's stack, taken to be there: each command names it, so that it need not be selected, which takes a process of its own. After
 * an operation the Automation API asks the engine twice for the outputs, and once for the update that it has just seen; each is a
 * process that starts anew (a quarter of a second of processor time). The outputs are read at once, and the update is known from its
 * events.
 */
async function assumedStack(task: WorkerTask): Promise<Stack> {
  const { Stack } = await automationApi();
  const ws = await workspace(task);
  ws.selectStack = () => Promise.resolve(undefined);
  const stack = await Stack.select(task.stack, ws);
  stack.info = () => Promise.resolve(undefined);
  stack.outputs = () => outputsOf(task, ws);
  return stack;
}

/** One export, in the place of the outputs with and without their secrets. By the Automation API, which knows a stack that is not there. */
async function outputsOf({ stack }: WorkerTask, ws: LocalWorkspace): Promise<OutputMap> {
  return exportedOutputs(
    await ws.exportStack(stack).catch((thrown: unknown) => {
      // Its message repeats a part of what could not be read, secrets among it.
      if (thrown instanceof SyntaxError) return undefined;
      throw thrown;
    }),
  );
}

async function isThere(task: WorkerTask): Promise<boolean> {
  const { StackNotFoundError } = await automationApi();
  try {
    await (await workspace(task)).selectStack(task.stack);
    return true;
  } catch (thrown) {
    if (thrown instanceof StackNotFoundError) return false;
    throw thrown;
  }
}

/** Makes the stack, or finds it made: one process of the engine. */
async function create(task: WorkerTask): Promise<void> {
  await engineRunner(task.engineRoot, task.workDir)(["stack", "select", task.stack, "--create"], {});
}

/**
 * Does something with the task's stack, which is made first where it is not there and the operation builds it.
 * @param use refuses a stack that is not there before it does anything
 * @returns undefined where there is no stack, and nothing to do
 */
export async function withStack<T>(task: WorkerTask, use: (stack: Stack) => Promise<T>): Promise<T | undefined> {
  const { StackNotFoundError } = await automationApi();
  const builds = task.operation === "up" || task.operation === "preview";
  if (builds && task.isNew === true) await create(task);
  const stack = await assumedStack(task);
  // Before these use the stack, they run commands of their own on it, which say of a missing one what no error class tells.
  if ((task.adopt === true || task.unprotect === true) && !builds && !(await isThere(task))) return undefined;
  if (task.adopt === true && builds && task.isNew !== true) await create(task);
  try {
    return await use(stack);
  } catch (thrown) {
    if (!(thrown instanceof StackNotFoundError)) throw thrown;
    if (!builds) return undefined;
  }
  await create(task);
  return use(stack);
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
