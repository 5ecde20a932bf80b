/** The embedded engine as a process that does several commands (engine/serve.ts), in the place of one for each. */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";
import { fork } from "../../common/children";
import { gcOptions } from "../../common/gc-options";

export interface ServedCommand {
  argv: readonly string[];
  cwd: string;
  /** All of the environment. */
  env: Record<string, string>;
  onOutput?: ((text: string) => void) | undefined;
  onError?: ((text: string) => void) | undefined;
  /** Aborted: the engine gets SIGINT, as from Ctrl-C. */
  signal?: AbortSignal | undefined;
}

export interface ServedAnswer {
  stdout: string;
  stderr: string;
  /** Exit code of the command, or the signal that ended its process. */
  status: number | NodeJS.Signals;
}

/** A marker begins and ends with it. */
const MARK = "\0";

/** Exit code of a command whose process says none. */
const NO_CODE = 255;

const doneSchema = z.object({ marker: z.string(), status: z.number() });

/** What is printed until the marker comes. What may be the marker's beginning is held back. */
class Printed {
  text = "";
  #rest = "";
  #isOver = false;
  readonly #decoder = new StringDecoder("utf8");

  constructor(
    private readonly marker: string,
    private readonly tell: ((text: string) => void) | undefined,
    private readonly over: () => void,
  ) {}

  readonly read = (chunk: Buffer): void => {
    if (this.#isOver) return;
    const all = this.#rest + this.#decoder.write(chunk);
    const at = all.indexOf(this.marker);
    const begins = all.indexOf(MARK, Math.max(0, all.length - this.marker.length + 1));
    const sure = at >= 0 ? at : begins >= 0 ? begins : all.length;
    this.#give(all.slice(0, sure));
    this.#rest = all.slice(sure);
    if (at < 0) return;
    this.#isOver = true;
    this.over();
  };

  /** There will be no marker. */
  end(): void {
    if (!this.#isOver) this.#give(this.#rest + this.#decoder.end());
    this.#isOver = true;
  }

  #give(text: string): void {
    if (text === "") return;
    this.text += text;
    this.tell?.(text);
  }
}

/** A command that an engine does now. */
class Running {
  // No text that a command prints holds it, since nobody can guess it.
  readonly marker = `${MARK}${randomUUID()}${MARK}`;
  readonly out: Printed;
  readonly err: Printed;
  /** Exit code of the command, or how its process ended. */
  readonly ended: Promise<ServedAnswer["status"]>;
  #done: (status: ServedAnswer["status"]) => void = () => undefined;
  #status: number | undefined;
  /** The markers of both streams, and the exit code: in any order. */
  #missing = 3;

  constructor({ onOutput, onError }: ServedCommand) {
    this.ended = new Promise((resolve) => {
      this.#done = resolve;
    });
    this.out = new Printed(this.marker, onOutput, () => this.#part());
    this.err = new Printed(this.marker, onError, () => this.#part());
  }

  #part(): void {
    this.#missing--;
    if (this.#missing === 0 && this.#status !== undefined) this.#done(this.#status);
  }

  answered({ marker, status }: z.infer<typeof doneSchema>): void {
    if (marker !== this.marker) return;
    this.#status = status;
    this.#part();
  }

  /** Its process has ended, so that no marker comes. */
  end(status: ServedAnswer["status"]): void {
    this.out.end();
    this.err.end();
    this.#done(status);
  }

  fail(cause: Error): void {
    this.err.read(Buffer.from(`the embedded engine cannot be started, or asked: ${cause.message}\n`));
    this.end(NO_CODE);
  }
}

class EngineProcess {
  readonly #child: ChildProcess;
  #running: Running | undefined;
  /** It can do another command. */
  isUsable = true;

  constructor(script: string) {
    this.#child = fork(script, [], { execArgv: gcOptions(), stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#running?.out.read(chunk));
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#running?.err.read(chunk));
    this.#child.on("message", (raw) => this.#running?.answered(doneSchema.parse(raw)));
    this.#child.on("exit", () => {
      this.isUsable = false;
    });
    this.#child.on("close", (code, by) => this.#running?.end(by ?? code ?? NO_CODE));
    this.#child.on("error", (cause) => {
      this.isUsable = false;
      this.#running?.fail(cause);
    });
  }

  async run(command: ServedCommand): Promise<ServedAnswer> {
    const { argv, cwd, env, signal } = command;
    const running = new Running(command);
    const interrupt = (): void => {
      this.isUsable = false;
      this.#child.kill("SIGINT");
    };
    this.#running = running;
    signal?.addEventListener("abort", interrupt, { once: true });
    this.#child.send({ argv, cwd, env, marker: running.marker });
    if (signal?.aborted === true) interrupt();
    const status = await running.ended;
    signal?.removeEventListener("abort", interrupt);
    this.#running = undefined;
    if (status !== 0) this.isUsable = false;
    return { stdout: running.out.text, stderr: running.err.text, status };
  }

  /** It ends once it does nothing. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/** Engines of one worker. A command whose engine is busy gets another one; an engine whose command failed or was cancelled does no further one. */
export class ServedEngines {
  readonly #idle: EngineProcess[] = [];
  #closed = false;

  /** @param script what is started: `engine/bin/serve` */
  constructor(private readonly script: string) {}

  /** Has an engine waiting, loaded. */
  warm(): void {
    if (this.#idle.length === 0) this.#idle.push(new EngineProcess(this.script));
  }

  async run(command: ServedCommand): Promise<ServedAnswer> {
    let engine = this.#idle.pop();
    while (engine !== undefined && !engine.isUsable) engine = this.#idle.pop();
    engine ??= new EngineProcess(this.script);
    const answer = await engine.run(command);
    if (engine.isUsable && !this.#closed) this.#idle.push(engine);
    else engine.dismiss();
    return answer;
  }

  /** Ends those that wait; one that does a command ends after it. */
  close(): void {
    this.#closed = true;
    for (const engine of this.#idle.splice(0)) engine.dismiss();
  }
}
