/** A process that runs command lines of the engine, one after the other. engine-command-runner.cjs says how it differs from the real one. */
import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";

export interface EngineCommand {
  argv: string[];
  env: Record<string, string | undefined>;
  /** The folder of Pulumi.yaml and of the program, index.js. */
  cwd: string;
  /** The package that the provider serves, and its executable, a script of Node. */
  provider: { name: string; file: string };
}

export interface EngineRan {
  status: number;
  stdout: string;
  stderr: string;
}

export class EngineProcess {
  readonly #child: ChildProcess = fork(path.join(__dirname, "engine-command-runner.cjs"), { stdio: "inherit" });
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a command after the earlier ones have ended. */
  run(command: EngineCommand): Promise<EngineRan> {
    const done = this.#last.then(
      () =>
        new Promise<EngineRan>((resolve, reject) => {
          const died = (code: number | null): void => reject(new Error(`the engine's process ended with ${code}`));
          this.#child.once("exit", died);
          this.#child.once("message", (ran: EngineRan) => {
            this.#child.off("exit", died);
            resolve(ran);
          });
          this.#child.send(command);
        }),
    );
    this.#last = done.catch(() => undefined);
    return done;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
