import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import * as path from "node:path";

const built = path.join(__dirname, "../../bin");

export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

interface CommandOptions {
  env: Record<string, string | undefined>;
  cwd?: string;
}

/** Starts one of our built programs as a shell does: `startCommand("orchestrator/main.js", ["status"], { env })`. */
export function startCommand(script: string, args: readonly string[], options: CommandOptions): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [path.join(built, script), ...args], { ...options, stdio: ["pipe", "pipe", "pipe"] });
}

/** Writes to a process's standard input, and waits for its end. */
export async function runCommand(child: ChildProcessWithoutNullStreams, input: string | Buffer = ""): Promise<CommandResult> {
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (err += chunk));
  // A process may end without reading its input; its exit code is reported then.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}
