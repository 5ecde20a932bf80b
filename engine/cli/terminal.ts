/** Output to the user, and questions. */
import * as readline from "node:readline";
import { Writable } from "node:stream";
import { readEnv } from "../../common/env";
import { typedLine } from "../../common/typed-line";
import { CliError, EXIT_CODE } from "../errors";
import type { Flags } from "./flags";

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Lines with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) => `${indent}${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ")}`).join("\n");
}

export const isInteractive = (flags: Flags): boolean => !flags.has("non-interactive") && process.stdin.isTTY === true && process.stdout.isTTY === true;

/** One line that the user types; `hidden` shows nothing of it. Undefined at the end of the input. */
export async function ask(question: string, hidden = false): Promise<string | undefined> {
  process.stdout.write(question);
  // Standard input keeps the process alive only while it is read: a pipe may stay open after the answer. A file's stream has no ref().
  const hold = (how: "ref" | "unref"): unknown => how in process.stdin && process.stdin[how]();
  hold("ref");
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = readline.createInterface({ input: process.stdin, output: hidden ? nowhere : process.stdout, terminal: process.stdin.isTTY === true });
  const answer = await typedLine(reader);
  hold("unref");
  if (hidden) process.stdout.write("\n");
  return answer;
}

/** Returns only with --yes, or after the expected answer. @throws CliError otherwise */
export async function confirm(flags: Flags, question: string, expected = "yes"): Promise<void> {
  if (flags.has("yes") || readEnv("PULUMI_SKIP_CONFIRMATIONS") === "true") return;
  if (!isInteractive(flags)) throw new CliError("--yes must be passed in to proceed when running in non-interactive mode", EXIT_CODE.usage);
  if ((await ask(`${question}\nPlease confirm by typing ("${expected}"): `)) !== expected) throw new CliError("confirmation declined");
}
