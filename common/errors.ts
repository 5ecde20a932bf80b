import { types } from "node:util";

/** What a known failure carries beside its message. */
export interface ErrorDetails {
  /** What the reader should do next, as one sentence. */
  hint?: string;
  /** The file, stack, host or other thing that it is about. */
  subject?: string;
  cause?: unknown;
}

/**
 * A failure that we understand. `message` says what and which one, `hint` what to do next; it is shown without a stack trace.
 * Everything else that reaches the top is a bug of ours and is shown as one ({@link describeError}).
 */
export class HomelabError extends Error {
  readonly hint: string | undefined;
  readonly subject: string | undefined;

  /** @param code stable name such as `E_STACK_CYCLE` */
  constructor(
    readonly code: string,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "HomelabError";
    this.hint = details.hint;
    this.subject = details.subject;
  }
}

/** Any thrown value as an Error. */
export function asError(thrown: unknown): Error {
  // Not `instanceof`: errors of Node's own modules are of another realm where code runs in a vm context, as in jest.
  return types.isNativeError(thrown) ? thrown : new Error(String(thrown));
}

/** The `code` of a Node system error (`ENOENT`), or undefined. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (!types.isNativeError(thrown) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** The text for a person: known errors with hint and causes, unknown ones with their stack and the word that it is our bug. */
export function describeError(thrown: unknown): string {
  const error = asError(thrown);
  if (!(error instanceof HomelabError)) {
    return `internal error: ${error.message}\n${error.stack ?? ""}\nThis is a bug in homelab. Please report it with the lines above.`;
  }
  const lines = [error.message];
  for (let cause = error.cause; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = asError(cause).message;
    if (!lines.some((line) => line.includes(text))) lines.push(`  because: ${text}`);
  }
  if (error.hint) lines.push(`  next: ${error.hint}`);
  return lines.join("\n");
}
