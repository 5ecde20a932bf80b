/** What docs/runbooks.md says to type, so that a test does it as it is written. */
import * as fs from "node:fs";
import * as path from "node:path";

const PAGE = path.join(__dirname, "..", "..", "docs", "runbooks.md");

/** The command lines of `homelab` in a section, in their order, without the program's name. @throws Error where there is no such section */
export function runbookCommands(title: string): string[] {
  const [, section] = fs.readFileSync(PAGE, "utf8").split(`## ${title}\n`);
  if (section === undefined) throw new Error(`docs/runbooks.md has no section "${title}"`);
  const [text = ""] = section.split("\n## ");
  return [...text.matchAll(/`homelab ([^`]+)`/g)].map(([, line = ""]) => line);
}
