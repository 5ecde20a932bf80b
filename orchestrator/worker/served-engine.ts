/** The embedded engine as a process that does several commands (engine/serve.ts), in the place of one for each. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";

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

class EngineProcess {
  readonly #child: ChildProcess;
  /** It can do another command. */
  isUsable = true;

  constructor(script: string) {
    this.#child = fork(script, [], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const gone = (): void => {
      this.isUsable = false;
    };
    this.#child.on("exit", gone);
    this.#child.on("error", gone);
  }

  async run({ argv, cwd, env, onOutput, onError, signal }: ServedCommand): Promise<ServedAnswer> {
    const child = this.#child;
    // No text that a command prints holds it, since nobody can guess it.
    const marker = `${MARK}${randomUUID()}${MARK}`;
    let done: (status: number | NodeJS.Signals) => void = () => undefined;
    const ended = new Promise<number | NodeJS.Signals>((resolve) => {
      done = resolve;
    });
    let status: number | undefined;
    let missing = 3;
    const one = (): void => {
      missing--;
      if (missing === 0 && status !== undefined) done(status);
    };
    const [out, err] = [new Printed(marker, onOutput, one), new Printed(marker, onError, one)];
    const onMessage = (raw: unknown): void => {
      const message = doneSchema.parse(raw);
      if (message.marker !== marker) return;
      status = message.status;
      one();
    };
    const onClose = (code: number | null, by: NodeJS.Signals | null): void => {
      out.end();
      err.end();
      done(by ?? code ?? 255);
    };
    const onFailure = (cause: Error): void => {
      err.read(Buffer.from(`the embedded engine cannot be started, or asked: ${cause.message}\n`));
      onClose(255, null);
    };
    const interrupt = (): void => {
      this.isUsable = false;
      child.kill("SIGINT");
    };
    child.stdout?.on("data", out.read);
    child.stderr?.on("data", err.read);
    child.on("message", onMessage);
    child.once("close", onClose);
    child.once("error", onFailure);
    signal?.addEventListener("abort", interrupt, { once: true });
    if (child.exitCode !== null || child.signalCode !== null) onClose(child.exitCode, child.signalCode);
    else {
      child.send({ argv, cwd, env, marker });
      if (signal?.aborted === true) interrupt();
    }
    const ending = await ended;
    child.stdout?.off("data", out.read);
    child.stderr?.off("data", err.read);
    child.off("message", onMessage);
    child.off("close", onClose);
    child.off("error", onFailure);
    signal?.removeEventListener("abort", interrupt);
    if (ending !== 0) this.isUsable = false;
    return { stdout: out.text, stderr: err.text, status: ending };
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
