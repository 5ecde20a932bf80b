import { HomelabError } from "../../common/errors";
import { EXIT, type ExitCode } from "./exit-codes";
import { REFUSED } from "./gate";

/** Errors in the command line itself. */
const USAGE_ERRORS = new Set(["E_USAGE", "E_STACK_UNKNOWN"]);

/** The exit code of a command that ended with an error. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (!(thrown instanceof HomelabError)) return EXIT.failed;
  if (thrown.code === REFUSED) return EXIT.refused;
  return USAGE_ERRORS.has(thrown.code) ? EXIT.usage : EXIT.failed;
}
