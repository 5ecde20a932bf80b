/** The useful part of a failed operation's error. The Automation API's message has the whole command line and all output. */
import { MORE_FILES } from "../../common/children";
import { asError, HomelabError } from "../../common/errors";
import { codesOf, failureClass, type ToldError } from "./failure-class";
import { protectedVmHint } from "./protected-vm";
import type { WorkerResult } from "./worker-protocol";

/** Who holds the stack. Both engines print for each lock: `<file>: created by root@vm (pid 8969) at 2026-11-30T10:27:33Z`. */
function heldBy(message: string): string {
  const holders = [...message.matchAll(/created by (\S+) \(pid (\d+)\) at (\S+)/g)].map(([, who, pid, since]) => `${who} (process ${pid}, since ${since})`);
  return `another run holds the stack${holders.length === 0 ? "" : `: ${[...new Set(holders)].join(", ")}`}`;
}

/**
 * @param errors that the engine reported while it ran
 * @param cancelled by this run itself
 */
export function stackFailure(thrown: unknown, errors: readonly ToldError[], cancelled: boolean): NonNullable<WorkerResult["error"]> {
  const { name, message } = asError(thrown);
  if (cancelled) return { code: "E_CANCELLED", class: "cancelled", message: "cancelled" };
  if (name === "ConcurrentUpdateError") return { code: "E_LOCKED", class: "locked", message: heldBy(message) };
  if (thrown instanceof HomelabError)
    return { code: thrown.code, class: "refused", message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) };
  if (errors.length > 0) {
    const messages = errors.map(({ message: text }) => text);
    const provider = [...new Set(errors.flatMap(codesOf))];
    const hint = provider.includes("EMFILE") ? MORE_FILES : protectedVmHint(messages);
    const facts = { class: failureClass(errors), ...(provider.length === 0 ? {} : { provider }) };
    return { code: "E_STACK_FAILED", ...facts, message: messages.join("\n"), ...(hint === undefined ? {} : { hint }) };
  }
  const lines = message.split("\n").filter((line) => /^\s*(stderr: )?error:/.test(line));
  return {
    code: "E_ENGINE",
    class: "engine",
    message: lines.length > 0 ? lines.map((line) => line.replace(/^\s*(stderr: )?error: /, "")).join("\n") : message,
  };
}
