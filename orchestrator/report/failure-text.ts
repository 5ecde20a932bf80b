/** What a person reads about a failed stack: which resource failed, why, and what to do next. The report has all output of the engine. */
import type { StackReport } from "./report-schema";

export interface Problem {
  /** `Command dev-k3s-run could not be created`; empty for an error of the stack as a whole. */
  what: string;
  /** The cause first, without script text, JSON, and stack traces. */
  lines: string[];
}

/** Lines of a cause that are shown; the report has the rest. */
const SHOWN = 8;

const PAST: Record<string, string> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  read: "read",
  refresh: "refreshed",
  import: "imported",
  "create-replacement": "created",
  "delete-replaced": "deleted",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const CONTROL = /\u001b\[[0-9;]*[A-Za-z]/g;
/** How a failure's message begins, with both plugins of the package `command`: with the script, quoted. */
const COMMAND_HEAD = /(?:Process exited with status|exit status) (\d+)(?: on (\S+?))?: running "(?:[^"\\]|\\.)*":?/;
/** Messages of the engine or the SDK that only follow from another failure. */
const CONSEQUENCE =
  /^(update failed|preview failed|destroy failed|refresh failed|Running program [\s\S]*(Channel has been shut down|Resource monitor is terminating|Cancelled|CANCELLED))/;

function isJson(line: string): boolean {
  if (!/^[{[]/.test(line)) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    // It was cut, but it is still an object of JSON.
    return /^\{"/.test(line);
  }
}

/** The cause in an engine's message. Never empty. */
function causeOf(message: string): string[] {
  const text = message.replaceAll(CONTROL, "");
  const head = COMMAND_HEAD.exec(text);
  const seen = new Set<string>();
  for (const raw of (head === null ? text : text.replace(COMMAND_HEAD, "")).split("\n")) {
    const line = raw.replace(/^\s*(?:error: |\* )?/, "").trimEnd();
    if (line === "" || /^at .*[:(]\d+|^at .*:\d+:\d+\)?$/.test(line) || isJson(line)) continue;
    seen.add(line);
  }
  if (seen.size > 0) return [...seen];
  return [
    head === null ? text.trim().split("\n")[0] || "no reason was given" : `it ended with exit code ${head[1]}${head[2] === undefined ? "" : ` on ${head[2]}`}`,
  ];
}

/** Whether the cause is only an exit code: the command that failed printed nothing. */
export const isExitCodeAlone = ({ lines }: Problem): boolean => lines.every((line) => /^it ended with exit code \d+/.test(line));

const shown = (lines: readonly string[]): string[] =>
  lines.length <= SHOWN ? [...lines] : [...lines.slice(0, SHOWN), `… ${lines.length - SHOWN} more lines are in the report`];

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;
const typeOf = (urn: string): string => urn.split("::").at(-2)?.split("$").at(-1)?.split(":").at(-1) ?? "";

/** Each failed resource with its cause, once. Messages that only follow from these failures are left out. */
export function problemsOf(stack: StackReport): Problem[] {
  const errors = stack.diagnostics.filter(({ severity }) => severity === "error");
  const causes = errors.filter(({ message }) => !CONSEQUENCE.test(message.trim()));
  // The stack's own messages (refused connections, cancelled steps) only follow from that.
  if (stack.error?.code === "E_LAB_DOWN") return [{ what: "", lines: [stack.error.message] }];
  if (causes.length === 0) return stack.error === undefined ? [] : [{ what: "", lines: shown(causeOf(stack.error.message)) }];
  const problems = new Map<string, Problem>();
  for (const { urn, message } of causes) {
    const op = stack.failures?.find((step) => step.urn === urn)?.op;
    const isStack = urn === "" || typeOf(urn) === "Stack";
    const what = isStack ? "" : `${typeOf(urn)} ${nameOf(urn)} ${op === undefined ? "failed" : `could not be ${PAST[op] ?? op}`}`;
    const lines = causeOf(message);
    const known = problems.get(what);
    problems.set(what, { what, lines: known === undefined ? lines : [...new Set([...known.lines, ...lines])] });
  }
  return [...problems.values()].map(({ what, lines }) => ({ what, lines: shown(lines) }));
}

/** What to do about it, where it failed. */
export function nextStep(stack: StackReport): string | undefined {
  if (stack.error?.hint !== undefined) return stack.error.hint;
  if (stack.error === undefined) return undefined;
  return "mend the cause, then run the same command again: it goes on from the saved state";
}

/** The block of a failed stack, as lines. */
export function failureLines(stack: StackReport): string[] {
  const blocks = problemsOf(stack).flatMap(({ what, lines }) => [
    `✘ ${stack.stack}: ${what === "" ? lines[0] : what}`,
    ...(what === "" ? lines.slice(1) : lines).map((line) => `    ${line}`),
  ]);
  const next = nextStep(stack);
  return next === undefined ? blocks : [...blocks, `  next: ${next}`];
}
