import { describeError, HomelabError } from "../common/errors";
import { CliError, EXIT_CODE } from "./cli/cli-error";
import { runCommandLine } from "./cli/command-line";

function causes(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `: ${cause.message}` : "";
}

runCommandLine(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    if (thrown instanceof CliError) {
      process.stderr.write(`error: ${thrown.message}${causes(thrown)}\n`);
      process.exitCode = thrown.exitCode;
      return;
    }
    process.stderr.write(`error: ${describeError(thrown)}\n`);
    process.exitCode = thrown instanceof HomelabError ? EXIT_CODE.failed : 255;
  },
);
