/** Waits until an object is ready, or gone. */
import type { Clock } from "../../../common/clock";
import { systemClock } from "../../../common/clock";
import { asError, describeError } from "../../../common/errors";
import { OperationTimeout } from "../../sdk/timeout";
import type { JsonObject } from "../../sdk/values";
import type { KubernetesClient, ObjectRef } from "../client";
import { type Readiness, readinessOf } from "./readiness";

const FIRST_POLL_MS = 30;
const LONGEST_POLL_MS = 1_000;
/** The wait between polls grows by this factor: polling adds at most about 25 % to the time until the object is ready. */
const POLL_FACTOR = 1.25;
/** The official provider's default. */
export const DEFAULT_TIMEOUT_S = 600;

export interface Waited {
  /** The object as last read. */
  object: JsonObject;
  /** Why it is not ready; undefined: it is. */
  problem: string | undefined;
  /** Why nothing was waited for, where the user should know. */
  note: string | undefined;
}

export interface Waiting {
  client: KubernetesClient;
  /** What the program gave. */
  inputs: JsonObject;
  /** How long is waited. */
  seconds: number;
  signal: AbortSignal;
  /** For tests. */
  clock?: Clock;
}

const problemOf = (readiness: Readiness): string | undefined =>
  readiness.state === "ready" ? undefined : readiness.state === "failed" ? readiness.reason : readiness.missing;

/** The readiness of an object now. */
export async function lookOnce(object: JsonObject, { client, inputs, signal }: Pick<Waiting, "client" | "inputs" | "signal">): Promise<Readiness> {
  return readinessOf(object, inputs, (ref) => client.get(ref, signal));
}

/**
 * Waits after an apply. It never throws: the object exists, and the result says how it was when the wait ended.
 * @param first the object in the answer to the apply
 */
export async function untilReady(ref: ObjectRef, first: JsonObject, waiting: Waiting): Promise<Waited> {
  const { client, seconds, signal, clock = systemClock } = waiting;
  const deadline = clock.now() + seconds * 1000;
  let object = first;
  let problem = "it was not looked at yet";
  try {
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_FACTOR, LONGEST_POLL_MS)) {
      const readiness = await lookOnce(object, waiting);
      if (readiness.state === "ready") return { object, problem: undefined, note: readiness.note };
      problem = problemOf(readiness) ?? problem;
      if (readiness.state === "failed") return { object, problem, note: undefined };
      const left = deadline - clock.now();
      if (left <= 0) return { object, problem: `it is not ready after ${seconds} s: ${problem}`, note: undefined };
      await clock.sleep(Math.min(wait, left), signal);
      const found = await client.get(ref, signal);
      if (found === undefined) return { object, problem: "it was deleted by somebody else while it was waited for", note: undefined };
      object = found;
    }
  } catch (thrown) {
    return { object, problem: endOf(thrown, signal, problem), note: undefined };
  }
}

/** The problem of an object whose wait was ended or has failed. */
function endOf(thrown: unknown, signal: AbortSignal, problem: string): string {
  if (!signal.aborted) return `whether it is ready could not be seen: ${describeError(asError(thrown))}`;
  const reason: unknown = signal.reason;
  if (reason instanceof OperationTimeout) return `it is not ready after ${reason.seconds} s: ${problem}`;
  return `the operation was cancelled before it was ready: ${problem}`;
}

/** Waits until an object is gone. @param uid of the object; another object of its name does not count */
export async function untilGone(ref: ObjectRef, { client, seconds, signal, clock = systemClock }: Omit<Waiting, "inputs">, uid?: string): Promise<boolean> {
  const deadline = clock.now() + seconds * 1000;
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * POLL_FACTOR, LONGEST_POLL_MS)) {
    const found = await client.get(ref, signal);
    const { metadata } = found ?? {};
    const other = uid !== undefined && typeof metadata === "object" && metadata !== null && !Array.isArray(metadata) && metadata["uid"] !== uid;
    if (found === undefined || other) return true;
    const left = deadline - clock.now();
    if (left <= 0) return false;
    await clock.sleep(Math.min(wait, left), signal);
  }
}
