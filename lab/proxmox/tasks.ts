import { PveError, TaskError } from "./errors";
import type { Pve, Task } from "./model";

const hex = (n: number): string => n.toString(16).toUpperCase().padStart(8, "0");

export interface TaskRequest {
  node: string;
  /** As in a UPID: `qmclone`, `qmstart`, `download`, … */
  type: string;
  id: string;
  user: string;
  /** Name of the latency that it takes before its work. */
  latency: string;
  /** If the task fails: undoes what the call did before it started the task. */
  undo?: () => void;
}

/** Running tasks, by cluster. */
const running = new WeakMap<Pve, Set<Promise<void>>>();

/** Resolves when no task runs any more. */
export async function tasksEnded(pve: Pve): Promise<void> {
  for (let runs = running.get(pve); runs !== undefined && runs.size > 0; ) await Promise.all(runs);
}

/** Functions that stop running work. */
const stops = new WeakMap<Task, () => void>();

/** Tasks that can be stopped: their remaining steps do not happen. For other kinds it is not known what a stop leaves behind. */
const STOPPABLE: ReadonlySet<string> = new Set(["download"]);

/** `DELETE …/tasks/{upid}`: the worker gets a signal. The client polls the task to see it end. */
export function stopTask(pve: Pve, task: Task): void {
  if (task.exitstatus !== undefined) return;
  if (!STOPPABLE.has(task.type)) {
    pve.ctx.unhandled.add({ system: "proxmox", target: task.node, what: `a task ${task.type} is stopped` });
    throw new PveError(501, `the lab does not know what a stopped ${task.type} leaves behind`);
  }
  stops.get(task)?.();
}

/** Called by stoppable work before it changes anything. @throws TaskError where it was told to stop */
type Guard = () => void;

/**
 * Starts the work in the background, as a worker process of Proxmox, and gives its UPID at once.
 * @param work throws TaskError for a failure that Proxmox knows
 */
export function startTask(pve: Pve, request: TaskRequest, work: (log: (line: string) => void, guard: Guard) => Promise<void> | void): string {
  const { ctx, state } = pve;
  const pid = state.nextPid++;
  const starttime = Math.floor(ctx.clock.now() / 1000);
  const upid = `UPID:${request.node}:${hex(pid)}:${hex(pid * 7)}:${hex(starttime)}:${request.type}:${request.id}:${request.user}:`;
  const task: Task = { upid, node: request.node, type: request.type, id: request.id, user: request.user, pid, starttime, log: [] };
  state.tasks.push(task);
  const finish = (exitstatus: string): void => {
    task.log.push(exitstatus === "OK" ? "TASK OK" : `TASK ERROR: ${exitstatus}`);
    task.exitstatus = exitstatus;
    task.endtime = Math.floor(ctx.clock.now() / 1000);
    ctx.changed();
  };
  const run = async (): Promise<void> => {
    let stopped = false;
    const guard = (): void => {
      if (stopped) throw new TaskError("received interrupt");
    };
    // The worker ends at once, and the result of what it waited for is dropped (see Guard).
    const stop = new Promise<never>((_resolve, reject) => {
      stops.set(task, () => {
        stopped = true;
        reject(new TaskError("received interrupt"));
      });
    });
    stop.catch(() => undefined);
    await ctx.clock.sleep(ctx.latency.of(request.latency));
    guard();
    const fault = ctx.faults.take("proxmox.task-failed", request.type) ?? ctx.faults.take("proxmox.task-failed", request.id);
    if (fault) throw new TaskError(String(fault["message"] ?? "command failed: exit code 1"));
    const working = Promise.resolve(work((line) => task.log.push(line), guard));
    working.catch(() => undefined);
    await Promise.race([working, stop]);
  };
  const ended = run().then(
    () => finish("OK"),
    (error: unknown) => {
      if (!(error instanceof TaskError || error instanceof PveError)) {
        ctx.unhandled.add({
          system: "proxmox",
          target: request.node,
          what: `the lab failed in task ${request.type}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        });
      }
      request.undo?.();
      finish(error instanceof Error ? error.message : String(error));
    },
  );
  const runs = running.get(pve) ?? new Set();
  running.set(pve, runs.add(ended));
  void ended.then(() => runs.delete(ended));
  return upid;
}

export function findTask(pve: Pve, node: string, upid: string): Task {
  const task = pve.state.tasks.find((t) => t.upid === upid && t.node === node);
  if (!task) throw new PveError(400, "Parameter verification failed.", { upid: "unable to parse worker upid" });
  return task;
}

export function taskStatus(task: Task): Record<string, unknown> {
  const { upid, node, type, id, user, pid, starttime, exitstatus } = task;
  const common = { upid, node, type, id, user, pid, pstart: pid * 7, starttime };
  return exitstatus === undefined ? { ...common, status: "running" } : { ...common, status: "stopped", exitstatus };
}

/** A task that ran when the lab was killed did not finish. */
export function failCutTasks(pve: Pve): void {
  for (const task of pve.state.tasks) if (task.exitstatus === undefined) task.exitstatus = "unexpected status";
}
