/** Real servers as processes of a test: each with a log, ended by its id, and named where it ends by itself. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { asError } from "../../common/errors";
import { findOnPath } from "../../common/executables";
import { takePort } from "./ports";

const READY_LIMIT_MS = 600_000;
const ASK_LIMIT_MS = 10_000;
const LAST_WORDS = 2000;
/** Where a port was given to another between the look for one and the start. */
const PORT_TRIES = 3;

export interface RealProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  /** All that it has said. */
  log(): string;
  /** @throws where it has ended by itself: how, and its last words */
  check(): void;
  /** Ends it at once. @throws as {@link check}: a test that passed without its server has tested nothing */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** Working folder, which holds its log. */
  folder: string;
  /** Nothing of the owner's but PATH unless it is given here. HOME is the folder. */
  env?: Readonly<Record<string, string>>;
}

/** Should this process be killed, what it started goes with it, where the system can do that. */
function withParent(program: string, args: readonly string[]): [string, string[]] {
  const setpriv = process.platform === "linux" ? findOnPath("setpriv") : undefined;
  return setpriv === undefined ? [program, [...args]] : [setpriv, ["--pdeathsig", "KILL", program, ...args]];
}

/** @param name what messages call it */
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

/** Waits for a server. @param ask false: not yet; an error of the connection is that as well @throws where the process ends, or is not ready in ten minutes */
export async function untilReady(server: RealProcess, what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + READY_LIMIT_MS; ; ) {
    server.check();
    // Another server on the port may never answer, and a process that ends is no longer waited for.
    const late = new Promise<false>((resolve) => setTimeout(resolve, ASK_LIMIT_MS, false).unref());
    const last = await Promise.race([ask().catch((cause: unknown) => cause), late, server.ended.then(() => false)]);
    if (last === true) return;
    if (Date.now() > deadline) throw new Error(`${server.name}: gave up waiting until ${what}: ${server.log().slice(-LAST_WORDS)}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Starts a server on ports that are free; where another takes one meanwhile, on others. @param count of ports */
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

/** Ends them in the order opposite to that of their start. @throws what each that had ended by itself says; the others are ended all the same */
export async function stopAll(processes: readonly RealProcess[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of processes.toReversed()) await one.stop().catch((error: unknown) => failures.push(error));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map((failure) => asError(failure).message).join("; "));
}
