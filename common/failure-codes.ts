/**
 * Codes of a failure as data. A provider sends them in the trailer of the failed call, and the engine puts them into its events. The
 * orchestrator decides on retries by them. Only this project's providers and engine carry them.
 */

/** Metadata of the call: codes with commas between them; missing where the provider knows of none. */
export const FAILURE_CODES_KEY = "homelab-failure-codes";
/** Causes that are followed. */
const DEPTH = 10;

/** A system error's code, as Node writes it; codes of HomelabError have a `_`. */
const SYSTEM = /^E[A-Z0-9]+$/;

/** What undici says where the system has a code of its own for it. */
const UNDICI: Readonly<Record<string, string>> = { UND_ERR_SOCKET: "ECONNRESET", UND_ERR_CONNECT_TIMEOUT: "ETIMEDOUT" };

interface Coded {
  /** Set by whoever threw the error, such as for a lock that is held. It counts instead of the other two. */
  failureCode?: unknown;
  /** Of an HTTP answer. */
  status?: unknown;
  code?: unknown;
}

function ownCodes({ failureCode, status, code: told }: Coded): string[] {
  const code = typeof told === "string" ? (UNDICI[told] ?? told) : undefined;
  return [
    ...(typeof failureCode === "string" ? [failureCode] : []),
    ...(typeof status === "number" && status >= 400 && status < 600 ? [String(status)] : []),
    ...(code !== undefined && SYSTEM.test(code) ? [code] : []),
  ];
}

/** The codes of an error and of its causes, each once. An error with a `failureCode` gives only that one. */
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

/** The codes in a call's metadata; undefined where there are none. */
export const readCodes = (text: string | undefined): string[] | undefined => text?.split(",");
