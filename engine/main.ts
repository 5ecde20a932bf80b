import { systemErrorCode } from "../common/errors";
import { keepHeapSmall } from "../common/small-heap";
import { exitCodeOf } from "./cli/exit-code";

keepHeapSmall();

// Whoever read our output has read enough (`pulumi up | head`): what is under way goes on, unseen.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE") throw error;
  });
}

void exitCodeOf(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
