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

/**
 * Node's errors that the machine, the network or a server's certificate causes. They are not bugs of ours, even where our code did
 * not expect them. Words and next step by code (https://nodejs.org/api/errors.html#common-system-errors, and OpenSSL's verify errors).
 */
const SURROUNDINGS: Record<string, [what: string, next: string]> = {
  ENOSPC: ["no space left on device", "make room, then run it again: it goes on from the saved state"],
  EDQUOT: ["the disk quota is used up", "make room, then run it again: it goes on from the saved state"],
  EFBIG: ["the file is larger than this user may write", "raise the limit (ulimit -f), then run it again: it goes on from the saved state"],
  EROFS: ["the file system is read-only", "mount it for writing, or use another folder"],
  ENOTDIR: ["a part of that path is a file, not a folder", "look at the path, and at the variable or flag that gives it"],
  EISDIR: ["a folder is where a file should be", "look at the path; restore the file from Git where it is one of the checkout"],
  ELOOP: ["its symbolic links lead in a circle", "look at the path, and at the links in it"],
  ENAMETOOLONG: ["that name is too long for a file", "take a shorter one"],
  EACCES: ["permission denied", "give this user the right to it"],
  EPERM: ["operation not permitted", "give this user the right to it"],
  EMFILE: ["too many open files", "raise the limit (ulimit -n), or lower --concurrency"],
  ENFILE: ["too many open files on this machine", "raise the limit, or lower --concurrency"],
  EIO: ["the disk or terminal answered with an input/output error", "look at the machine's log"],
  ECONNREFUSED: ["nobody listens there", "start what should answer; the lab: `homelab lab start`"],
  ECONNRESET: ["the connection was cut", "run it again: it goes on from the saved state"],
  ETIMEDOUT: ["no answer in time", "check the way there (bastion, proxy, firewall)"],
  EHOSTUNREACH: ["there is no route to that host", "check the way there (bastion, proxy, firewall)"],
  ENETUNREACH: ["there is no route to that network", "check the way there (bastion, proxy, firewall)"],
  ENOTFOUND: ["that name is not known", "look at the name, and at the name server"],
  EAI_AGAIN: ["the name server does not answer", "look at the name server"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["its certificate is for another name", "look at the address, and at the certificate that is served there"],
  CERT_HAS_EXPIRED: ["its certificate has expired", "renew it"],
  CERT_NOT_YET_VALID: ["its certificate is not valid yet", "look at the clock of this machine"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["its certificate is self-signed", "name its authority in NODE_EXTRA_CA_CERTS"],
  SELF_SIGNED_CERT_IN_CHAIN: ["its authority is not trusted here", "name it in NODE_EXTRA_CA_CERTS"],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["its authority is not trusted here", "name it in NODE_EXTRA_CA_CERTS"],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["its authority is not trusted here", "name it in NODE_EXTRA_CA_CERTS"],
};

interface Surroundings {
  code: string;
  what: string;
  next: string;
  /** In Node's words. */
  text: string;
}

/** Looks at the error, then at its causes (`fetch failed` says nothing itself). Of an AggregateError, the first error counts. */
function surroundingsOf(thrown: unknown): Surroundings | undefined {
  for (let link: unknown = thrown, depth = 0; types.isNativeError(link) && depth < 5; link = link.cause, depth++) {
    const first: unknown = "errors" in link && Array.isArray(link.errors) ? link.errors[0] : link;
    const code = systemErrorCode(first) ?? systemErrorCode(link) ?? "";
    const known = SURROUNDINGS[code];
    if (known !== undefined) return { code, what: known[0], next: known[1], text: asError(first).message || link.message };
  }
  return undefined;
}

/** What the machine, the network or a server's certificate has caused, with what to do. Undefined for any other error. */
export function surroundingsText(error: unknown): string | undefined {
  const found = surroundingsOf(error);
  if (found === undefined) return undefined;
  const { text, what, next } = found;
  return `${text.includes(what) ? text : `${text}: ${what}`}\n  next: ${next}`;
}

/** What is wrong with a server's certificate, and what to do. Undefined if the request failed for another reason. */
export function certificateProblem(thrown: unknown): { what: string; next: string } | undefined {
  const found = surroundingsOf(thrown);
  return found !== undefined && /CERT|SIGNATURE/.test(found.code) ? { what: found.what, next: found.next } : undefined;
}

/**
 * The text for an npm package that is not installed, such as one that the lockfile names since the last pull. Undefined for a missing
 * file of ours: that is a bug.
 */
function missingPackage(error: Error): string | undefined {
  const code = systemErrorCode(error);
  if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") return undefined;
  const name = /Cannot find (?:module|package) '((?:@[^'/]+\/)?[^'./][^'/]*)(?:\/[^']*)?'/.exec(error.message)?.[1];
  return name === undefined ? undefined : `the package ${name} is not installed in this checkout\n  next: npm ci`;
}

/** Makes control characters visible: a name that somebody typed, or a text of another program, must not move the cursor or change colours. */
const withoutControl = (text: string): string =>
  text.replaceAll("\r\n", "\n").replaceAll(/(?![\t\n])\p{Cc}/gu, (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`);

/**
 * The text for a person, without control characters. A known error is shown with its hint and causes, an error of the machine or the network with what to do.
 * Any other one is shown with its stack, as a bug of ours.
 */
export const describeError = (thrown: unknown): string => withoutControl(describe(thrown));

/** Of what zod refuses, the places and reasons: its own text is a page of JSON. Zod itself is not loaded for it, since each start loads this file. */
function reasonOf(cause: Error): string {
  if (!("issues" in cause && Array.isArray(cause.issues))) return cause.message.trim();
  const reasons = (cause.issues as { path: PropertyKey[]; message: string }[]).map(({ path, message }) => [path.map(String).join("."), message]);
  return reasons
    .slice(0, 5)
    .map(([place, message]) => (place === "" ? message : `${place}: ${message}`))
    .join("; ");
}

function describe(thrown: unknown): string {
  const error = asError(thrown);
  if (!(error instanceof HomelabError)) {
    const surroundings = surroundingsText(error) ?? missingPackage(error);
    if (surroundings !== undefined) return surroundings;
    return `internal error: ${error.message}\n${error.stack ?? ""}\nThis is a bug in homelab. Please report it with the lines above.`;
  }
  const lines = [error.message];
  for (let cause = error.cause; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = reasonOf(asError(cause));
    if (!lines.some((line) => line.includes(text))) lines.push(`  because: ${text}`);
  }
  if (error.hint) lines.push(`  next: ${error.hint}`);
  return lines.join("\n");
}
