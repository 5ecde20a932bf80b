/**
 * A program's process that is kept from one command of the engine to the next (kept-runner.ts), where the engine itself stays
 * (engine/serve.ts). Saves the start of Node and the loading of the SDK. One whose program failed, ended by itself or was killed does no
 * further one.
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { fork } from "../../common/children";
import { gcOptions } from "../../common/gc-options";
import { killNow, onLines, type ProcessEnd, processEnd } from "../providers/child-process";

export interface ProgramCommand {
  /** Node's own options. */
  nodeArgs: readonly string[];
  /** The SDK's `cmd/run`. */
  runner: string;
  args: readonly string[];
  cwd: string;
  /** All of the environment. */
  env: Readonly<Record<string, string>>;
}

type OnOutput = (line: string, stream: "info" | "info#err") => void;

/** A stack's settings, which the SDK reads in each run. Packages may have read any other variable when they were loaded. */
const SETTINGS = new Set(["PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"]);

/** What must be the same for two programs of one process. */
const placeOf = ({ nodeArgs, runner, cwd, env }: ProgramCommand): string =>
  JSON.stringify([nodeArgs, runner, cwd, Object.entries(env).filter(([name]) => !SETTINGS.has(name))]);

/** A process whose program has ended, where this process keeps one. */
let kept: KeptProgram | undefined;
let keeps = false;

/** From now on the next command takes over the program's process of the one before. */
export function keepProgram(): void {
  keeps = true;
}

export const isProgramKept = (): boolean => keeps;

class KeptProgram {
  readonly #child: ChildProcess;
  readonly #place: string;
  #lives = true;
  #marker = "";
  #onOutput: OnOutput = () => undefined;
  #ended: (end: ProcessEnd) => void = () => undefined;
  /** The markers of both streams, and the message: in any order. */
  #missing = 0;

  static take(command: ProgramCommand): KeptProgram {
    const program = kept;
    kept = undefined;
    if (program === undefined) return new KeptProgram(command);
    if (program.#lives && program.#place === placeOf(command)) return program;
    program.#dismiss();
    return new KeptProgram(command);
  }

  private constructor(command: ProgramCommand) {
    this.#place = placeOf(command);
    const { cwd, env, nodeArgs } = command;
    this.#child = fork(path.join(__dirname, "kept-runner.js"), [], {
      ...{ cwd, env, execArgv: [...gcOptions(), ...nodeArgs], detached: true },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    onLines(this.#child, (line, stream) => this.#read(line, stream));
    this.#child.on("message", () => this.#part());
    this.#child.on("exit", () => {
      this.#lives = false;
    });
    this.#child.on("error", (cause) => {
      this.#lives = false;
      this.#onOutput(`the program cannot be started, or asked: ${cause.message}`, "info#err");
      this.#ended({ code: 1, signal: null });
    });
    void processEnd(this.#child).then((end) => this.#ended(end));
  }

  #read(line: string, stream: "info" | "info#err"): void {
    const isLast = this.#missing > 0 && line.endsWith(this.#marker);
    const text = isLast ? line.slice(0, -this.#marker.length) : line;
    // A line that the program did not end stands before the marker.
    if (!isLast || text !== "") this.#onOutput(text, stream);
    if (isLast) this.#part();
  }

  #part(): void {
    this.#missing--;
    if (this.#missing > 0) return;
    kept = this;
    this.#onOutput = () => undefined;
    this.#ended({ code: 0, signal: null });
  }

  run({ runner, args, cwd, env }: ProgramCommand, onOutput: OnOutput): { end: Promise<ProcessEnd>; kill(): void } {
    let isOver = false;
    this.#marker = `\0${randomUUID()}`;
    this.#missing = 3;
    this.#onOutput = onOutput;
    const end = new Promise<ProcessEnd>((resolve) => {
      this.#ended = (how) => {
        isOver = true;
        resolve(how);
      };
    });
    this.#child.send({ runner, args, cwd, env, marker: this.#marker });
    return {
      end,
      kill: () => {
        // The process may run another program by then.
        if (!isOver) killNow(this.#child);
      },
    };
  }

  /** It ends by itself. */
  #dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Runs a program in the process that was kept, or in a new one that is kept afterwards. */
export function runKept(command: ProgramCommand, onOutput: OnOutput): { end: Promise<ProcessEnd>; kill(): void } {
  return KeptProgram.take(command).run(command, onOutput);
}
