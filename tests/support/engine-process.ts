/** One process that runs command lines of the engine, one after the other; see engine-command-runner.cjs for what it leaves out. */
import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";

export interface EngineCommand {
  argv: string[];
  env: Record<string, string | undefined>;
  /** Holds Pulumi.yaml and the program, index.js. */
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

  /** Runs it when those before it have ended. */
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
