import { describeError, HomelabError } from "../../common/errors";
import { CliError, EXIT_CODE } from "../errors";
import { secretFilter } from "../secrets/secret-filter";
import { runCommandLine } from "./command-line";

function causes(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `: ${cause.message}` : "";
}

/** Runs a command line in this process; errors go to standard error. @param argv without the program's name */
export async function exitCodeOf(argv: string[]): Promise<number> {
  try {
    return await runCommandLine(argv);
  } catch (thrown) {
    const message = thrown instanceof CliError ? thrown.message + causes(thrown) : describeError(thrown);
    process.stderr.write(`error: ${secretFilter.text(message)}\n`);
    if (thrown instanceof CliError) return thrown.exitCode;
    return thrown instanceof HomelabError ? EXIT_CODE.failed : 255;
  }
}
