import { systemErrorCode } from "../../common/errors";

/** From now on an operation goes on without output where the reader of our output has closed the pipe (`pulumi up | head`). */
export function goOnWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (systemErrorCode(error) !== "EPIPE") throw error;
    });
  }
}
