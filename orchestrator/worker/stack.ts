/** The task's stack, opened by the Automation API. */
import type { LocalWorkspace, OutputMap, PulumiCommand, Stack } from "@pulumi/pulumi/automation";
import { embeddedCommand, engineCommands } from "./embedded-command";
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

async function command({ engineRoot }: WorkerTask): Promise<PulumiCommand> {
  if (engineRoot !== undefined) return embeddedCommand(engineRoot);
  const { PulumiCommand } = await automationApi();
  return PulumiCommand.get({});
}

async function workspace(task: WorkerTask): Promise<LocalWorkspace> {
  const { LocalWorkspace } = await automationApi();
  return LocalWorkspace.create({ workDir: task.workDir, pulumiCommand: await command(task) });
}

/**
 * The task's stack, assumed to exist. Each command names it, so it need not be selected, which takes a process of its own. After an operation
 * the Automation API asks the engine twice for the outputs, and once for the update that it has just seen. Each of these starts a process (a
 * quarter of a second of processor time). Here the outputs are read by one process, and the update is known from its events.
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

/** One export instead of two reads of the outputs, with and without secrets. The Automation API has an error of its own for a missing stack. */
async function outputsOf({ stack }: WorkerTask, ws: LocalWorkspace): Promise<OutputMap> {
  return exportedOutputs(
    await ws.exportStack(stack).catch((thrown: unknown) => {
      // Its message repeats a part of the text that could not be parsed, perhaps with secrets.
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

/** Creates the stack where it is missing, by one command of the engine. */
async function create(task: WorkerTask): Promise<void> {
  await engineCommands(task)(["stack", "select", task.stack, "--create"], {});
}

/**
 * Does something with the task's stack. A missing stack is created first, where the operation builds it.
 * @param use must refuse a missing stack before it does anything
 * @returns undefined where there is no stack, and nothing to do
 */
export async function withStack<T>(task: WorkerTask, use: (stack: Stack) => Promise<T>): Promise<T | undefined> {
  const { StackNotFoundError } = await automationApi();
  const builds = task.operation === "up" || task.operation === "preview";
  if (builds && task.isNew === true) await create(task);
  const stack = await assumedStack(task);
  // With these options, commands of the engine run on the stack first. Their failure for a missing stack has no error class of its own.
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

/** Removes the protection of every resource in the stack's state. */
export async function unprotectAll(task: WorkerTask): Promise<void> {
  await engineCommands(task)(["state", "unprotect", "--all", "--yes", "--stack", task.stack], {});
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
