/** Problems in the files of a site, each with file, line and key. */
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

/** What kind of files a list of problems is about. */
const KINDS = {
  E_INVENTORY: { files: "the VM definitions", hint: "correct the lines that are named; docs/vms.md lists every key" },
  E_SITE: { files: "the site's files", hint: "correct the lines that are named; docs/site.md lists every key" },
} as const;

/** Throws all problems as one error, in the order given. Does nothing when there are none. @throws HomelabError of the code given */
export function throwProblems(problems: readonly Problem[], code: keyof typeof KINDS = "E_INVENTORY"): void {
  const first = problems[0];
  if (first === undefined) return;
  const lines = problems.map(problemText);
  const { files, hint } = KINDS[code];
  throw new HomelabError(code, lines.length === 1 ? (lines[0] ?? "") : `${lines.length} errors in ${files}:\n  ${lines.join("\n  ")}`, {
    subject: first.file,
    hint,
  });
}
