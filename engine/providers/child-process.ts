/** Processes that the engine starts, each with a group of its own. */
import type { ChildProcess } from "node:child_process";
import { systemErrorCode } from "../../common/errors";
import { byLine } from "../wire/lines";

/** Time for the last output of a process that has ended. A helper that it left behind may hold its output open for ever. */
const DRAIN_MS = 500;

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Signals the process and everything that it started; it is not an error if all of them have exited. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (thrown) {
    if (systemErrorCode(thrown) !== "ESRCH") throw thrown;
  }
}

/** As {@link signalGroup} with SIGKILL, while the process itself lives: afterwards its number may be another's. */
export function killNow(child: ChildProcess): void {
  if (!hasEnded(child)) signalGroup(child, "SIGKILL");
}

/** Ends the process by SIGINT, and after `patienceMs` by force. */
export function endGently(child: ChildProcess, patienceMs: number): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => killNow(child), patienceMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    signalGroup(child, "SIGINT");
  });
}

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The end of a process with all its output; its pipes are closed then, whoever else still holds them. */
export function processEnd(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const finish = (end: ProcessEnd): void => {
      clearTimeout(timer);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(end);
    };
    child.once("exit", (code, signal) => {
      timer = setTimeout(() => finish({ code, signal }), DRAIN_MS);
    });
    child.once("close", (code, signal) => finish({ code, signal }));
  });
}

/** Each whole line of the two outputs. */
export function onLines(child: ChildProcess, onLine: (line: string, stream: "info" | "info#err") => void): void {
  for (const [pipe, stream] of [[child.stdout, "info"] as const, [child.stderr, "info#err"] as const]) {
    const lines = byLine((line) => onLine(line, stream));
    // "end" never comes while a helper process holds the pipe. The last partial line is passed on at "close", which destroy() causes.
    pipe?.on("data", lines.push).once("close", lines.end);
  }
}
