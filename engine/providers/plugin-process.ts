/** Starts plugin processes and reads their ports (engine-contract E3). */
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import type { ProjectInfo } from "../contracts";
import { DeploymentError } from "../errors";
import { BundledHost } from "./bundled-host";
import { endGently, killNow, onLines, processEnd } from "./child-process";
import type { PluginSource } from "./lookup";
import { endedSoon, type RunningPlugin } from "./running-plugin";

export interface PluginLaunch {
  source: PluginSource;
  package: string;
  engineAddress: string;
  project: ProjectInfo;
  /** The package's configuration, short keys. */
  config: Record<string, string>;
  onLog(line: string, stream: "info" | "info#err"): void;
  /** See {@link PluginCommand}. */
  signal: AbortSignal;
}

type Spawned = Exclude<PluginSource, { kind: "bundled" | "attached" }>;

const STDERR_TAIL = 4_000;
/** Time for a plugin to end after SIGINT before it is killed; the CLI's. */
const STOP_MS = 5_000;

function commandOf(source: Spawned, engineAddress: string): [string, string[]] {
  switch (source.kind) {
    case "executable":
      return [source.file, [engineAddress]];
    case "script":
      return [process.execPath, [source.file, engineAddress]];
    case "node":
      return [process.execPath, [source.runner, source.folder, engineAddress]];
  }
}

/** A program that prints its port as the first line of its output. */
export interface PluginCommand {
  file: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  onLog(line: string, stream: "info" | "info#err"): void;
  /** The run's first signal: what has not told its port by then is ended. It has done nothing, and nobody else knows its process. */
  signal: AbortSignal;
}

/** @throws DeploymentError where it does not start, or ends before it has printed its port */
export function startPlugin({ file, args, cwd, env, onLog, signal: cancelled }: PluginCommand): Promise<RunningPlugin> {
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let listening = false;
    let tail = "";
    let early = "";
    const closed = processEnd(child);
    const giveUp = (): void => void endGently(child, STOP_MS);
    cancelled.addEventListener("abort", giveUp, { once: true });
    const ended = closed.then(({ code, signal }) => signal ?? `exit code ${code}`);
    onLines(child, (line, stream) => {
      if (stream === "info#err") tail = `${tail}${line}\n`.slice(-STDERR_TAIL);
      if (stream === "info#err" || listening) onLog(line, stream);
      else if (/^\d+$/.test(line.trim())) {
        listening = true;
        cancelled.removeEventListener("abort", giveUp);
        const address = `127.0.0.1:${line.trim()}`;
        resolve({ address, stderrTail: () => tail, ended: () => endedSoon(ended), stop: () => endGently(child, STOP_MS), kill: () => killNow(child) });
      } else early += `${line}\n`;
    });
    child.on("error", (cause) => reject(new DeploymentError(`plugin [${file}] cannot be started: ${cause.message}`)));
    void closed.then(({ code }) => {
      cancelled.removeEventListener("abort", giveUp);
      if (!listening)
        reject(new DeploymentError(`plugin [${file}] exited prematurely before it told its port (exit code ${code ?? "none"})\n${early}${tail}`.trimEnd()));
    });
  });
}

function spawnPlugin(launch: PluginLaunch, source: Spawned): Promise<RunningPlugin> {
  const [file, args] = commandOf(source, launch.engineAddress);
  const runtime = Object.fromEntries(Object.entries(launch.project.runtimeOptions).map(([k, v]) => [`PULUMI_RUNTIME_${k.toUpperCase()}`, String(v)]));
  const env = childEnv({
    PULUMI_PROJECT: launch.project.name,
    PULUMI_CONFIG: JSON.stringify(launch.config),
    ...runtime,
    ...(source.kind === "node" ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
  });
  return startPlugin({ file, args, cwd: launch.project.programDir, env, onLog: launch.onLog, signal: launch.signal });
}

/** Starts plugins; those of this project share one host process, which `close` gives back. */
export class PluginLauncher {
  #host: BundledHost | undefined;

  async launch(launch: PluginLaunch): Promise<RunningPlugin> {
    if (launch.source.kind === "attached")
      return {
        address: launch.source.address,
        stderrTail: () => "",
        ended: () => Promise.resolve(undefined),
        stop: () => Promise.resolve(),
        kill: () => undefined,
      };
    if (launch.source.kind !== "bundled") return spawnPlugin(launch, launch.source);
    this.#host ??= BundledHost.take(launch.source.host, launch.project.programDir);
    return this.#host.start(launch.source.name, launch.engineAddress, launch.onLog);
  }

  close(): void {
    this.#host?.close();
  }
}
