import { HomelabError } from "../../common/errors";
import { EXIT, type ExitCode } from "./exit-codes";
import { REFUSED } from "./gate";

/**
 * Errors in the command line itself: also a name in it that is not in the checkout. A name in a file has a code of its own, and so has one
 * that somebody else was asked for: a state, Vault, a registry.
 */
const USAGE_ERRORS = new Set(["E_USAGE", "E_STACK_UNKNOWN", "E_MODULE_UNKNOWN", "E_APP_UNKNOWN", "E_BUILD_UNKNOWN", "E_SECRET_UNKNOWN"]);

/** The exit code of a command that ended with an error. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (!(thrown instanceof HomelabError)) return EXIT.failed;
  if (thrown.code === REFUSED) return EXIT.refused;
  return USAGE_ERRORS.has(thrown.code) ? EXIT.usage : EXIT.failed;
}
