/** What is wrong with the inventory, at its place. */
import { HomelabError } from "../../common/errors";

export interface Problem {
  file: string;
  /** Line in the file, from 1. */
  line: number;
  /** Key with its parents, `network.bridge`. */
  key: string;
  message: string;
}

export const problemText = ({ file, line, key, message }: Problem): string => `${file}:${line}: ${key}: ${message}`;

/** In the order of files and lines. */
export const sortProblems = (problems: readonly Problem[]): Problem[] => problems.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line);

/** Throws all problems as one error, in the order given. Does nothing when there are none. @throws HomelabError E_INVENTORY */
export function throwProblems(problems: readonly Problem[]): void {
  const first = problems[0];
  if (first === undefined) return;
  const lines = problems.map(problemText);
  throw new HomelabError("E_INVENTORY", lines.length === 1 ? (lines[0] ?? "") : `${lines.length} errors in the VM definitions:\n  ${lines.join("\n  ")}`, {
    subject: first.file,
    hint: "correct the lines that are named; docs/vms.md lists every key",
  });
}
