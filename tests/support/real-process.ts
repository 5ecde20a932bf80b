/** Real servers as processes of a test. Each has a log and is ended by its id. An error names one that ended by itself. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { asError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { takePort } from "./ports";

const READY_LIMIT_MS = 600_000;
const ASK_LIMIT_MS = 10_000;
const LAST_WORDS = 2000;
/** How often a start is tried if another process took the port meanwhile. */
const PORT_TRIES = 3;

export interface RealProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Its whole output. */
  log(): string;
  /** @throws if it has ended by itself, with how, and the end of its output */
  check(): void;
  /** Kills it. @throws as {@link check}, since a test whose server had ended has tested nothing */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Its working folder, which also has its log. */
  folder: string;
  /** Environment beside PATH and HOME. PATH is the owner's, HOME the folder. */
  env?: Readonly<Record<string, string>>;
}

/** If this process is killed, the child ends with it, on systems that support that. */
function withParent(program: string, args: readonly string[]): [string, string[]] {
  const setpriv = process.platform === "linux" ? findOnPath("setpriv") : undefined;
  return setpriv === undefined ? [program, [...args]] : [setpriv, ["--pdeathsig", "KILL", program, ...args]];
}

/** @param name the name in messages */
export async function startProcess(name: string, program: string, args: readonly string[], options: ProcessOptions): Promise<RealProcess> {
  const logFile = path.join(options.folder, `${name}.log`);
  const output = fs.openSync(logFile, "a");
  const child = spawn(...withParent(program, args), {
    stdio: ["ignore", output, output],
    cwd: options.folder,
    env: { PATH: process.env["PATH"], HOME: options.folder, ...options.env },
  });
  fs.closeSync(output);
  const log = () => fs.readFileSync(logFile, "utf8");
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(new Error(`${name} does not start: ${cause.message}`, { cause })));
  });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const check = () => {
    if (hasEnded())
      throw new Error(`${name} (${program}) ended by itself with ${child.signalCode ?? `exit code ${child.exitCode}`}: ${log().slice(-LAST_WORDS)}`);
  };
  return {
    name,
    pid: child.pid as number,
    ended,
    log,
    check,
    stop: async () => {
      check();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Waits for a server. @param ask returns false or throws while it is not ready @throws if the process ends, or is not ready in ten minutes */
export async function untilReady(server: RealProcess, what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + READY_LIMIT_MS; ; ) {
    server.check();
    // The port may belong to another server, which never answers. And there is nothing to wait for after the process has ended.
    const late = new Promise<false>((resolve) => setTimeout(resolve, ASK_LIMIT_MS, false).unref());
    const last = await Promise.race([ask().catch((cause: unknown) => cause), late, server.ended.then(() => false)]);
    if (last === true) return;
    if (Date.now() > deadline) throw new Error(`${server.name}: gave up waiting until ${what}: ${server.log().slice(-LAST_WORDS)}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Starts a server on free ports, and on others if another process takes one meanwhile. @param count number of ports */
export async function onFreePorts<T>(count: number, start: (ports: readonly number[]) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const ports: number[] = [];
    while (ports.length < count) ports.push(await takePort());
    try {
      return await start(ports);
    } catch (error) {
      const taken = error instanceof Error && /address already in use|EADDRINUSE/i.test(error.message);
      if (!taken || tries === PORT_TRIES) throw error;
    }
  }
}

/** Stops processes in reverse order of their start. All are stopped, also after a failure. @throws the errors of those that had ended by themselves */
export async function stopAll(processes: readonly RealProcess[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of processes.toReversed()) await one.stop().catch((error: unknown) => failures.push(error));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((failure) => asError(failure).message).join("; "));
}
