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
}

/**
 * Starts the work in the background, as a worker process of Proxmox, and gives its UPID at once.
 * @param work throws TaskError for a failure that Proxmox knows
 */
export function startTask(pve: Pve, request: TaskRequest, work: (log: (line: string) => void) => Promise<void> | void): string {
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
    await ctx.clock.sleep(ctx.latency.of(request.latency));
    const fault = ctx.faults.take("proxmox.task-failed", request.type) ?? ctx.faults.take("proxmox.task-failed", request.id);
    if (fault) throw new TaskError(String(fault["message"] ?? "command failed: exit code 1"));
    await work((line) => task.log.push(line));
  };
  run().then(
    () => finish("OK"),
    (error: unknown) => {
      if (!(error instanceof TaskError || error instanceof PveError)) {
        ctx.unhandled.add({
          system: "proxmox",
          target: request.node,
          what: `the lab failed in task ${request.type}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        });
      }
      finish(error instanceof Error ? error.message : String(error));
    },
  );
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
