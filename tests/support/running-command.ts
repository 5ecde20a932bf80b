/** A command that runs while the test looks at what it prints. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningCommand {
  child: ChildProcessWithoutNullStreams;
  done: Promise<Finished>;
  /** What it has printed so far. */
  said(): string;
  /** Resolves when this text was printed; rejects if the command ends without it. */
  printed(text: string): Promise<void>;
}

/** @param input its standard input; default: none */
export function runningCommand(child: ChildProcessWithoutNullStreams, input = ""): RunningCommand {
  // A command may end without reading its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    for (const watch of watchers) watch();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const done = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (!stdout.includes(text)) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
      done.then(() => reject(new Error(`ended without printing "${text}":\n${stdout}\n${stderr}`)), reject);
    });
  return { child, done, said: () => stdout, printed };
}
