/** The output of a command, and the error of a command that failed. */
import { StringDecoder } from "node:string_decoder";
import { HomelabError } from "../../common/errors";
import type { CallContext } from "../sdk/resource";

export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

/** How much of a failed command and of its output an error shows: the beginning of the one, the end of the other. */
const COMMAND_SHOWN = 200;
const OUTPUT_SHOWN = 8_000;

/** Collects both streams as they come, apart and together, and shows complete lines to the person who watches. */
export class OutputCollector {
  readonly #parts: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  readonly #both: Buffer[] = [];
  readonly #open: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
  /** A character may come in two pieces. */
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };

  constructor(
    private readonly call: CallContext,
    private readonly logging: Logging = "stdoutAndStderr",
  ) {}

  take(stream: "stdout" | "stderr", chunk: Buffer): void {
    this.#parts[stream].push(chunk);
    if (this.logging !== stream && this.logging !== "stdoutAndStderr") return;
    this.#both.push(chunk);
    const lines = (this.#open[stream] + this.#decoders[stream].write(chunk)).split("\n");
    this.#open[stream] = lines.pop() ?? "";
    for (const line of lines) this.call.log("info", line, { status: true });
  }

  /** The stream without its last newline, as the official provider has it. */
  text(stream: "stdout" | "stderr"): string {
    return Buffer.concat(this.#parts[stream]).toString("utf8").replace(/\n$/, "");
  }

  /** The end of the streams that may be logged, in the order of arrival. Output that `logging` excludes is not in errors either. */
  tail(): string {
    const text = Buffer.concat(this.#both).toString("utf8").trimEnd();
    return text.length <= OUTPUT_SHOWN ? text : `… (${text.length - OUTPUT_SHOWN} characters before)\n${text.slice(-OUTPUT_SHOWN)}`;
  }
}

/** @param what for example `Process exited with status 2 on 10.20.0.10` */
export function commandFailed(what: string, command: string, output: OutputCollector): HomelabError {
  const shown = command.length <= COMMAND_SHOWN ? command : `${command.slice(0, COMMAND_SHOWN)}…`;
  return new HomelabError("E_COMMAND", `${what}: running ${JSON.stringify(shown)}:\n${output.tail()}`.trimEnd());
}
