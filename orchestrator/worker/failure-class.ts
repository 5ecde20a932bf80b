/**
 * The only place that classifies errors. The embedded engine passes on, as data, the error codes that this project's providers know, and then
 * no text is read. The Pulumi CLI and official plugins give only text. It is searched for codes of the protocols (gRPC, HTTP, the system), and
 * for Proxmox's one sentence about a lock. Callers decide by the class.
 */
import type { FailureClass } from "./worker-protocol";

/** https://grpc.io/docs/guides/status-codes/, as Go and Node write them. */
const GRPC = /\bcode = (\w+)\b|\b(\d{1,2}) (UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|ABORTED|PERMISSION_DENIED|UNAUTHENTICATED|INVALID_ARGUMENT)\b/g;
/** `: 503`, `status 503`, `HTTP 503`, `(503)`: never a number that stands alone, as a VM's does. */
const HTTP = /(?:\bHTTP(?:\/[\d.]+)?|\bstatus(?: code)?:?|\bcode:?|: |\()\s*([45]\d\d)\b(?!\/)/g;
const SYSTEM = /\b(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|EAI_AGAIN|ENOTFOUND|EMFILE)\b/g;
/** What Go's clients say for the same, and undici and Node where a server closed a connection before it answered, which has no code in the text. */
const WORDS: readonly [RegExp, string][] = [
  [/\bconnection refused\b/, "ECONNREFUSED"],
  [/\bconnection reset by peer\b|\bother side closed\b|\bsocket hang up\b|: (?:unexpected )?EOF$/m, "ECONNRESET"],
  [/\bi\/o timeout\b|\bTLS handshake timeout\b/, "ETIMEDOUT"],
  [/\bno route to host\b/, "EHOSTUNREACH"],
];
/** PVE::Tools::lock_file: a VM's configuration, a storage or a template that another task holds. */
const PROXMOX_LOCK = /can't lock file '[^']*' - got timeout/;

/** How this project's own waits end: `was not ready within 900 s: …`, with what the last look met. They were patient already: another try would wait as long again. */
const WAITED = /\b(?:within|not ready after) \d+ (?:s|minutes?)\b/;

const CLASS_OF: Readonly<Record<string, FailureClass>> = {
  UNAVAILABLE: "unreachable",
  DEADLINE_EXCEEDED: "timeout",
  RESOURCE_EXHAUSTED: "throttled",
  ABORTED: "busy",
  PERMISSION_DENIED: "refused",
  UNAUTHENTICATED: "refused",
  INVALID_ARGUMENT: "refused",
  "400": "refused",
  "401": "refused",
  "403": "refused",
  "408": "timeout",
  "409": "busy",
  "422": "refused",
  "423": "busy",
  "429": "throttled",
  "502": "unreachable",
  "503": "throttled",
  "504": "timeout",
  // Proxmox: the node behind the one that was asked does not answer.
  "595": "unreachable",
  "596": "timeout",
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  ETIMEDOUT: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EPIPE: "unreachable",
  EAI_AGAIN: "unreachable",
  ENOTFOUND: "refused",
  // Of this machine, and it does not pass: another try opens as many.
  EMFILE: "refused",
  PVE_LOCK: "busy",
  WAITED: "timeout",
};

/** `Unavailable` as Go writes it, and `UNAVAILABLE`. */
const grpcName = (name: string): string => name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();

/** Codes in an error's text, each once. */
export function codesIn(message: string): string[] {
  const found = [
    ...[...message.matchAll(GRPC)].map(([, go, , node]) => grpcName(go ?? node ?? "")),
    ...[...message.matchAll(HTTP)].map(([, status]) => status ?? ""),
    ...[...message.matchAll(SYSTEM)].map(([code]) => code),
    ...WORDS.filter(([text]) => text.test(message)).map(([, code]) => code),
    ...(PROXMOX_LOCK.test(message) ? ["PVE_LOCK"] : []),
    ...(WAITED.test(message) ? ["WAITED"] : []),
  ];
  return [...new Set(found)].filter((code) => Object.hasOwn(CLASS_OF, code));
}

/** An error as an engine reported it. `codes`: the provider's own, as data; undefined where the engine has none, so that the text is read. */
export interface ToldError {
  message: string;
  codes?: readonly string[] | undefined;
}

/** Codes that the class is decided by. */
export const codesOf = ({ message, codes }: ToldError): string[] =>
  codes === undefined ? codesIn(message) : codes.filter((code) => Object.hasOwn(CLASS_OF, code));

/** The class of one error. A refusal outweighs the others, and then a wait that ended: such an error does not pass by itself. */
function classOf(error: ToldError): FailureClass {
  const classes = codesOf(error).map((code) => CLASS_OF[code] ?? "other");
  return classes.find((found) => found === "refused") ?? classes.find((found) => found === "timeout") ?? classes[0] ?? "other";
}

/** The class of all errors of a stack. One that does not pass by itself outweighs the others: another try would be useless. */
export function failureClass(errors: readonly ToldError[]): FailureClass {
  const classes = errors.filter(({ message }) => !isSummary(message)).map(classOf);
  return classes.find((found) => found === "refused" || found === "other") ?? classes[0] ?? "other";
}

/** What an engine, or the program that it stopped, prints about every failed update, besides the errors themselves. */
const isSummary = (message: string): boolean =>
  /^(update|preview|destroy|refresh|resource operation) (failed|was canceled)|^Running program [\s\S]*(Channel has been shut down|Resource monitor is terminating|Cancelled|CANCELLED)/.test(
    message.trim(),
  );
