/** Which requests to the API are repeated, and when: one policy for every call. */
import { types } from "node:util";
import type { Clock } from "../../common/clock";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { retry } from "../../common/retry";

export interface Answer {
  status: number;
  /** Seconds, as the header `retry-after` says; undefined where it is not sent or no number. */
  retryAfter: number | undefined;
  /** The API's own words. */
  message: string;
}

/** Failures before anything was sent. */
const NOT_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT", "ERR_TLS_CERT_ALTNAME_INVALID"]);
/** Failures that would happen again in another attempt. */
const LASTING = new Set([
  "ENOTFOUND",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_HAS_EXPIRED",
]);

const TRIES = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** The longest wait that a server may ask for; it is not exceeded. */
const LONGEST_RETRY_AFTER_MS = 30_000;

/** Error codes along the causes of a failure. */
function codesOf(thrown: unknown): string[] {
  const codes: string[] = [];
  // Not `instanceof`: errors of Node's own modules may be of another realm.
  for (let error = thrown; types.isNativeError(error) && codes.length < 10; error = error.cause) {
    codes.push(systemErrorCode(error) ?? "");
    if ("errors" in error && Array.isArray(error.errors)) codes.push(...error.errors.flatMap((inner) => codesOf(inner)));
  }
  return codes;
}

/** Whether the API may have got the request that failed. */
export const mayHaveArrived = (thrown: unknown): boolean => !codesOf(thrown).some((code) => NOT_SENT.has(code) || LASTING.has(code));

/** Whether a request may be sent twice with the same result. A POST would create two objects. */
const isIdempotent = (method: string): boolean => method !== "POST";

/** Milliseconds to wait before the next attempt; undefined: the answer stands. */
function waitAfterAnswer(method: string, { status, retryAfter, message }: Answer, backoffMs: number): number | undefined {
  const asked = retryAfter === undefined ? undefined : Math.min(retryAfter * 1000, LONGEST_RETRY_AFTER_MS);
  // The server did nothing with it.
  if (status === 429 || (status === 503 && asked !== undefined)) return asked ?? backoffMs;
  // A webhook that was installed a moment ago does not answer yet; nothing was stored.
  if (status === 500 && message.includes("failed calling webhook")) return backoffMs;
  return [502, 503, 504].includes(status) && isIdempotent(method) ? backoffMs : undefined;
}

function waitAfterFailure(method: string, thrown: unknown, backoffMs: number): number | undefined {
  if (!(thrown instanceof HomelabError) || thrown.code !== "E_HTTP") return undefined;
  if (codesOf(thrown).some((code) => LASTING.has(code))) return undefined;
  return isIdempotent(method) || !mayHaveArrived(thrown) ? backoffMs : undefined;
}

export interface RetryOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Called before the attempt after a failed connection, so that no connection of the pool is reused. */
  reconnect(): void;
}

/** @param send one attempt */
export function withRetries<T extends Answer>(method: string, send: () => Promise<T>, { clock, signal, reconnect }: RetryOptions): Promise<T> {
  return retry(send, {
    ...{ clock, signal, firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS },
    again: ({ number, outcome, backoffMs }) => {
      if (number >= TRIES) return undefined;
      if ("value" in outcome) return waitAfterAnswer(method, outcome.value, backoffMs);
      const wait = signal.aborted ? undefined : waitAfterFailure(method, outcome.thrown, backoffMs);
      if (wait !== undefined) reconnect();
      return wait;
    },
  });
}
