/** Starts other programs. Everything that reads a child's streams starts it by these. */
import * as childProcess from "node:child_process";

/**
 * Where this process may open no further file, Node returns a child without streams and emits "error" later: code that reads the streams
 * would fail as a bug of ours before that.
 * @throws the system's error EMFILE instead
 */
function started<C extends childProcess.ChildProcess>(child: C): C {
  // With `stdio: "inherit"` it is null.
  if (child.stdout !== undefined) return child;
  child.on("error", () => undefined);
  throw Object.assign(new Error(`${child.spawnfile} cannot be started (EMFILE: too many open files)`), { code: "EMFILE" });
}

/** What to do about EMFILE in a run. */
export const MORE_FILES = "raise the limit of open files (ulimit -n 1024), or lower --concurrency and --parallel";

export const spawn = ((file: string, args: readonly string[], options: childProcess.SpawnOptions) =>
  started(childProcess.spawn(file, args, options))) as typeof childProcess.spawn;

export const fork = ((module: string, args: readonly string[], options: childProcess.ForkOptions) =>
  started(childProcess.fork(module, args, options))) as typeof childProcess.fork;
