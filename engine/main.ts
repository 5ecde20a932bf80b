import { describeError, HomelabError, systemErrorCode } from "../common/errors";
import { keepHeapSmall } from "../common/small-heap";
import { runCommandLine } from "./cli/command-line";
import { CliError, EXIT_CODE } from "./errors";
import { secretFilter } from "./secrets/secret-filter";

keepHeapSmall();

function causes(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `: ${cause.message}` : "";
}

// Whoever read our output has read enough (`pulumi up | head`): what is under way goes on, unseen.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE") throw error;
  });
}

runCommandLine(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    if (thrown instanceof CliError) {
      process.stderr.write(`error: ${secretFilter.text(thrown.message + causes(thrown))}\n`);
      process.exitCode = thrown.exitCode;
      return;
    }
    process.stderr.write(`error: ${secretFilter.text(describeError(thrown))}\n`);
    process.exitCode = thrown instanceof HomelabError ? EXIT_CODE.failed : 255;
  },
);
