import { z } from "zod";
import { spawn } from "../../common/children";
import { childEnv } from "../../common/env";
import { asError, HomelabError } from "../../common/errors";
import type { CallContext } from "../sdk/resource";
import { commonInputs, defineCommand, type Output } from "./command-resource";
import { commandFailed, OutputCollector } from "./outcome";

const inputsSchema = z.strictObject({
  ...commonInputs,
  /** Default: the program's folder. */
  dir: z.string().optional(),
  /** Default: `/bin/sh -c`. */
  interpreter: z.array(z.string()).optional(),
});
type Inputs = z.infer<typeof inputsSchema>;

/** How long a cancelled command has to end by itself. */
const GRACE_MS = 5_000;

/** The group: the shell's children are ended with it. */
function endGroup(pid: number): void {
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch (thrown) {
      // ESRCH: it has ended by itself, which is what was wanted.
      if (typeof thrown !== "object" || thrown === null || !("code" in thrown) || thrown.code !== "ESRCH") throw thrown;
    }
  };
  kill("SIGTERM");
  setTimeout(() => kill("SIGKILL"), GRACE_MS).unref();
}

function run(command: string, inputs: Inputs, previous: Record<string, string>, call: CallContext): Promise<Output> {
  const [file = "/bin/sh", ...args] = inputs.interpreter !== undefined && inputs.interpreter.length > 0 ? inputs.interpreter : ["/bin/sh", "-c"];
  const output = new OutputCollector(call, inputs.logging);
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args, command], {
      ...(inputs.dir === undefined ? {} : { cwd: inputs.dir }),
      env: childEnv({ ...inputs.environment, ...previous }),
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const onAbort = (): void => {
      if (child.pid !== undefined) endGroup(child.pid);
      reject(asError(call.signal.reason));
    };
    call.signal.addEventListener("abort", onAbort, { once: true });
    child.stdout.on("data", (chunk: Buffer) => output.take("stdout", chunk));
    child.stderr.on("data", (chunk: Buffer) => output.take("stderr", chunk));
    child.on("error", (cause) => {
      call.signal.removeEventListener("abort", onAbort);
      reject(new HomelabError("E_COMMAND", `${file} cannot be started${inputs.dir === undefined ? "" : ` in ${inputs.dir}`}: ${cause.message}`, { cause }));
    });
    child.on("close", (code, signal) => {
      call.signal.removeEventListener("abort", onAbort);
      if (code === 0) resolve({ stdout: output.text("stdout"), stderr: output.text("stderr") });
      else reject(commandFailed(signal === null ? `exit status ${code}` : `signal: ${signal}`, command, output));
    });
    // A command that does not read its input is free not to.
    child.stdin.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EPIPE") child.emit("error", cause);
    });
    child.stdin.end(inputs.stdin ?? "");
  });
}

export const localCommand = defineCommand<Inputs>({ token: "command:local:Command", inputs: inputsSchema, run });
