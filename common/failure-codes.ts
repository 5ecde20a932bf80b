/**
 * Codes of a failure as data, on their way from a provider through the engine's events to who decides by them. They travel beside the
 * message, in the trailer of the failed call; only this project's providers and engine carry them.
 */

/** Metadata of the call: codes with commas between them; missing where the provider knows of none. */
export const FAILURE_CODES_KEY = "homelab-failure-codes";
/** Causes that are followed. */
const DEPTH = 10;

/** A code of the system, as Node writes it; codes of HomelabError have a `_`. */
const SYSTEM = /^E[A-Z0-9]+$/;

/** An error that says its code by itself, such as that a lock is held. */
interface Coded {
  failureCode?: unknown;
  /** HTTP's, of an answer. */
  status?: unknown;
  code?: unknown;
}

function ownCodes({ failureCode, status, code }: Coded): string[] {
  return [
    ...(typeof failureCode === "string" ? [failureCode] : []),
    ...(typeof status === "number" && status >= 400 && status < 600 ? [String(status)] : []),
    ...(typeof code === "string" && SYSTEM.test(code) ? [code] : []),
  ];
}

/** Of an error and of what caused it, each once; what says its code by itself says no other. */
export function failureCodesOf(thrown: unknown): string[] {
  const codes: string[] = [];
  let at = thrown;
  for (let depth = 0; depth < DEPTH && typeof at === "object" && at !== null; depth++) {
    const own = ownCodes(at as Coded);
    codes.push(...("failureCode" in at && typeof at.failureCode === "string" ? [at.failureCode] : own));
    at = "cause" in at ? at.cause : undefined;
  }
  return [...new Set(codes)];
}

/** Undefined where nothing was said. */
export const readCodes = (text: string | undefined): string[] | undefined => text?.split(",");
