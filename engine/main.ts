import { systemErrorCode } from "../common/errors";
import { exitCodeOf } from "./cli/exit-code";

// The reader of our output has closed the pipe (`pulumi up | head`): the operation goes on without output.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE") throw error;
  });
}

void exitCodeOf(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
