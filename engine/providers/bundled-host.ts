/**
 * The one process in which the TypeScript providers of this project run (providers/host.ts). A start is one message each way;
 * the process ends when the channel closes. Saves a Node start and the loading of gRPC for each provider. An engine that runs several
 * commands (engine/serve.ts) keeps it from one to the next; every command has instances of its own.
 */
import type { ChildProcess } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { fork } from "../../common/children";
import { childEnv } from "../../common/env";
import { gcOptions } from "../../common/gc-options";
import { DeploymentError } from "../errors";
import { killNow, onLines, processEnd } from "./child-process";
import { endedSoon, type RunningPlugin } from "./running-plugin";

const replySchema = z.union([
  z.object({ started: z.object({ id: z.number(), port: z.number() }) }),
  z.object({ failed: z.object({ id: z.number(), message: z.string() }) }),
]);

const STDERR_TAIL = 4_000;

type Log = (line: string, stream: "info" | "info#err") => void;

/** A host that no command uses, where this process keeps one. */
let kept: BundledHost | undefined;
let keeps = false;

/** From now on the next command takes over the host of the one before. */
export function keepBundledHost(): void {
  keeps = true;
}

export class BundledHost {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (port: number) => void; reject: (error: Error) => void }>();
  #next = 1;
  #tail = "";
  #log: Log | undefined;
  #lives = true;
  readonly #ended: Promise<string>;

  /** A host for one command: one that was kept, or a new one. */
  static take(script: string, cwd: string): BundledHost {
    const host = kept;
    kept = undefined;
    if (host === undefined || !host.#lives || host.script !== script) return new BundledHost(script, cwd);
    host.#tail = "";
    host.#child.send({ begin: { env: childEnv(), cwd } });
    return host;
  }

  private constructor(
    private readonly script: string,
    cwd: string,
  ) {
    this.#child = fork(script, [], {
      cwd,
      execArgv: [...gcOptions(), "--require", path.join(__dirname, "preload.js")],
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    onLines(this.#child, (line, stream) => {
      this.#tail = `${this.#tail}${line}\n`.slice(-STDERR_TAIL);
      if (stream === "info#err") this.#log?.(line, stream);
    });
    const closed = processEnd(this.#child);
    this.#ended = closed.then(({ code, signal }) => signal ?? `exit code ${code}`);
    this.#child.on("exit", () => {
      this.#lives = false;
    });
    this.#child.on("message", (raw) => this.#onReply(replySchema.parse(raw)));
    this.#child.on("error", (cause) => this.#failAll(`the host of the bundled providers cannot be started: ${cause.message}`));
    void this.#ended.then((how) => this.#failAll(`the host of the bundled providers ended (${how})\n${this.#tail}`.trimEnd()));
  }

  /** @param onLog takes what a provider writes to stderr; all providers of a command share the process, so the first one's receiver gets every line */
  async start(name: string, engineAddress: string, onLog: Log): Promise<RunningPlugin> {
    const id = this.#next++;
    this.#log ??= onLog;
    const port = await new Promise<number>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ start: { id, package: name, engineAddress } });
    });
    return {
      address: `127.0.0.1:${port}`,
      stderrTail: () => this.#tail,
      ended: () => endedSoon(this.#ended),
      stop: () => Promise.resolve(),
      kill: () => killNow(this.#child),
    };
  }

  /** The command has ended: its instances are closed, or the whole process ends. */
  close(): void {
    this.#log = undefined;
    if (!this.#child.connected) return;
    if (keeps && this.#lives && kept === undefined) {
      this.#child.send({ end: true });
      kept = this;
    } else this.#child.disconnect();
  }

  #onReply(reply: z.infer<typeof replySchema>): void {
    const { id } = "started" in reply ? reply.started : reply.failed;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ("started" in reply) waiting?.resolve(reply.started.port);
    else waiting?.reject(new DeploymentError(reply.failed.message));
  }

  #failAll(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new DeploymentError(message));
    this.#waiting.clear();
  }
}
