/**
 * The one process in which the TypeScript providers of this project run (providers/host.ts). A start is one message each way;
 * the process ends when the channel closes. Saves a Node start and the loading of gRPC for each provider.
 */
import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import { z } from "zod";
import { DeploymentError } from "../errors";
import { endedSoon, type RunningPlugin } from "./running-plugin";

const replySchema = z.union([
  z.object({ started: z.object({ id: z.number(), port: z.number() }) }),
  z.object({ failed: z.object({ id: z.number(), message: z.string() }) }),
]);

const STDERR_TAIL = 4_000;

export class BundledHost {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (port: number) => void; reject: (error: Error) => void }>();
  #next = 1;
  #tail = "";
  readonly #ended: Promise<string>;

  constructor(script: string, cwd: string) {
    this.#child = fork(script, [], {
      cwd,
      execArgv: ["--require", path.join(__dirname, "preload.js")],
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const keep = (chunk: Buffer): void => {
      this.#tail = (this.#tail + chunk.toString("utf8")).slice(-STDERR_TAIL);
    };
    this.#child.stderr?.on("data", keep);
    this.#child.stdout?.on("data", keep);
    this.#ended = new Promise((tell) => this.#child.once("close", (code, signal) => tell(signal ?? `exit code ${code}`)));
    this.#child.on("message", (raw) => this.#onReply(replySchema.parse(raw)));
    this.#child.on("error", (cause) => this.#failAll(`the host of the bundled providers cannot be started: ${cause.message}`));
    this.#child.on("close", (code, signal) =>
      this.#failAll(`the host of the bundled providers ended (${signal ?? `exit code ${code}`})\n${this.#tail}`.trimEnd()),
    );
  }

  async start(name: string, engineAddress: string, onLog: (line: string, stream: "info" | "info#err") => void): Promise<RunningPlugin> {
    const id = this.#next++;
    const port = await new Promise<number>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ start: { id, package: name, engineAddress } });
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => onLog(chunk.toString("utf8").trimEnd(), "info#err"));
    return {
      address: `127.0.0.1:${port}`,
      stderrTail: () => this.#tail,
      ended: () => endedSoon(this.#ended),
      stop: () => Promise.resolve(),
      kill: () => this.#kill(),
    };
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #kill(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
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
