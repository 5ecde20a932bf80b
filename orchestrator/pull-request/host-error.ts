/** Answers of a host that are no success, and what they mean. */
import { HomelabError } from "../../common/errors";

/** An answer of the host that is no success. */
export class HostError extends HomelabError {
  constructor(
    readonly status: number,
    message: string,
    details: ConstructorParameters<typeof HomelabError>[2] = {},
  ) {
    super("E_COMMENT_HOST", message, details);
    this.name = "HostError";
  }
}

/** The requested object does not exist, or no longer does: GitHub answers 410 for a deleted issue. */
export const isGone = (thrown: unknown): boolean => thrown instanceof HostError && (thrown.status === 404 || thrown.status === 410);
/** The answer, or undefined where what was asked for is not there. */
export async function orNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw thrown;
  }
}
/** Whether the host may have done what was asked although the request failed: after a server error, or without an answer. */
export const isUncertain = (thrown: unknown): boolean => !(thrown instanceof HostError) || thrown.status >= 500;

/** What a status means. */
export type Meaning = Readonly<Record<number, string>>;

/** What to do about a status, by the first of the meanings that has it; without `hint` where none has. */
export function hintFor(status: number, ...meanings: readonly Meaning[]): { hint?: string } {
  const known = meanings.find((meaning) => meaning[status] !== undefined)?.[status];
  const hint = known ?? (status >= 500 ? "the host has a fault: run the job again later" : undefined);
  return hint === undefined ? {} : { hint };
}
