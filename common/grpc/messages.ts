/** What gRPC puts on HTTP/2: messages with their lengths, and the end of a call in headers. */
import type { Headers } from "./hpack";

/** How a call ended. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** @returns its number where it is none of the standard's */
export const statusName = (code: number): string => Object.keys(STATUS)[code] ?? String(code);

/** Of one message, as the SDK has it. */
const LARGEST_MESSAGE = 400 * 1024 * 1024;
const PREFIX = 5;

/** How a call ended that has no answer. */
export interface Failure {
  code: number;
  details: string;
  /** Beside the message; binary where the name ends in `-bin`. */
  trailers?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/** The part of a method's definition that a call needs: the SDK's generated modules have them. */
export interface Method<Request, Reply> {
  path: string;
  requestSerialize(request: Request): Buffer;
  requestDeserialize(bytes: Buffer): Request;
  responseSerialize(reply: Reply): Buffer;
  responseDeserialize(bytes: Buffer): Reply;
}

/** With its length before it. */
export function encodeMessage(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX);
  return bytes;
}

/** The one message of a stream, of whose parts it is put together. */
export class MessageParts {
  #parts: Buffer[] = [];
  #size = 0;

  /** @returns false where it is larger than any may be */
  add(bytes: Buffer): boolean {
    this.#size += bytes.length;
    if (this.#size > LARGEST_MESSAGE + PREFIX) return false;
    if (bytes.length > 0) this.#parts.push(bytes);
    return true;
  }

  /** @returns the message, or why there is none */
  take(): Buffer | Failure {
    const [only] = this.#parts;
    const bytes = only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts);
    if (bytes.length < PREFIX) return { code: STATUS.INTERNAL, details: "the message is missing" };
    if (bytes[0] !== 0) return { code: STATUS.UNIMPLEMENTED, details: "the message is compressed, and no compression was agreed on" };
    if (bytes.readUInt32BE(1) !== bytes.length - PREFIX) return { code: STATUS.INTERNAL, details: "there is not exactly one message" };
    return bytes.subarray(PREFIX);
  }
}

/** Percent-encoded where it is no printable ASCII, as `grpc-message` must be. */
const encodeDetails = (details: string): string =>
  details.replace(/[^ -$&-~]+/gu, (text) => [...Buffer.from(text, "utf8")].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""));

function decodeDetails(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded as it should be: better shown as it came than not at all.
    return text;
  }
}

const isBinary = (name: string): boolean => name.endsWith("-bin");

/** The end of a call as header fields. */
export function failureFields({ code, details, trailers = {} }: Failure): [name: string, value: string][] {
  const more = Object.entries(trailers).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : Buffer.from(value).toString("base64"),
  ]);
  return [["grpc-status", String(code)], ["grpc-message", encodeDetails(details)], ...more];
}

/** undefined: the call succeeded */
export function failureOf(headers: Headers): Failure | undefined {
  const status = headers.get("grpc-status");
  if (status === "0") return undefined;
  const trailers = Object.fromEntries(
    [...headers].map(([name, value]) => [name, isBinary(name) ? Buffer.from(value.split(",")[0] ?? "", "base64") : value] as const),
  );
  if (status === undefined) {
    const http = headers.get(":status") ?? "none";
    return { code: OF_HTTP[http] ?? STATUS.UNKNOWN, details: `the answer has no gRPC status (HTTP ${http})`, trailers };
  }
  const code = /^\d+$/.test(status) ? Number(status) : STATUS.UNKNOWN;
  return { code, details: decodeDetails(headers.get("grpc-message") ?? ""), trailers };
}

/** What an answer means that does not come from a gRPC server: the standard's own table. */
const OF_HTTP: Readonly<Record<string, number>> = {
  400: STATUS.INTERNAL,
  401: STATUS.UNAUTHENTICATED,
  403: STATUS.PERMISSION_DENIED,
  404: STATUS.UNIMPLEMENTED,
  429: STATUS.UNAVAILABLE,
  502: STATUS.UNAVAILABLE,
  503: STATUS.UNAVAILABLE,
  504: STATUS.UNAVAILABLE,
};
