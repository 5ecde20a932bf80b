/** The help of the whole CLI, of a command and of a verb, from their descriptions. */
import { Command } from "commander";
import { indented, wrapped } from "../../common/wrapped";
import { optionOf } from "./arguments";
import { GROUP_TITLES, GROUPS, leafOf, type NamedCommand, wordText } from "./command";

/** What `homelab` ends with (cli/exit-codes.ts). */
export const EXIT_CODES = "0 done, 1 failed, 2 usage (also a name that the checkout does not have), 3 changes found, 4 refused, 130 interrupted";

const apart = (text: string): string => (text === "" ? "" : `\n\n${text}`);

/** Columns that a description has at least beside what it describes. Where it would have fewer, it stands below. */
const LEAST_BESIDE = 40;
const GAP = 2;

/** A line with a name and its description. @param width of the longest name */
function item(name: string, description: string, width: number, columns: number): string {
  const left = columns - width - 2 * GAP;
  if (left < LEAST_BESIDE) return `${indented(name, columns, " ".repeat(GAP))}\n${indented(description, columns, " ".repeat(2 * GAP))}`;
  const [first = "", ...more] = wrapped(description, left);
  return [`${" ".repeat(GAP)}${name.padEnd(width + GAP)}${first}`, ...more.map((line) => `${" ".repeat(width + 2 * GAP)}${line}`)].join("\n");
}

/** The overview: each command with its summary. @param columns of the terminal */
export function overview(commands: readonly NamedCommand[], columns: number): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const width = Math.max(...shown.map(({ name }) => name.length));
  const text = (line: string): string => `${wrapped(line, columns).join("\n")}\n`;
  const groups = GROUPS.map((group) => {
    const lines = shown.filter((command) => command.group === group).map(({ name, summary }) => item(name, summary, width, columns));
    return lines.length === 0 ? "" : `${text(`${GROUP_TITLES[group]}:`)}${lines.join("\n")}\n\n`;
  });
  return [
    text("homelab: previews, builds, rebuilds and destroys the homelab's stacks in order\n"),
    text("Usage: homelab <command> [flags]\n"),
    ...groups,
    text("Flags and examples of a command: homelab help <command>, or homelab <command> --help. Version: homelab --version."),
    text(`Exit codes: ${EXIT_CODES}.`),
  ].join("");
}

/** @param verb empty for the command itself. @param columns of the terminal */
export function helpText(command: NamedCommand, verb: string, columns: number): string {
  const leaf = leafOf(command, verb);
  const page = new Command(`homelab ${leaf.path}`).helpOption("-h, --help", "print this").configureHelp({
    helpWidth: columns,
    formatItem: (term, width, description) => item(term, description, width, columns),
    boxWrap: (text) => wrapped(text, columns).join("\n"),
    styleUsage: (usage) => wrapped(usage, columns - "Usage: ".length).join("\n       "),
  });
  page.description(`${leaf.summary}${apart(leaf.notes ?? "")}`);
  for (const flag of leaf.flags) {
    const option = optionOf(flag);
    page.addOption(flag.choices === undefined ? option : option.choices([...flag.choices]));
  }
  if (verb === "" && command.verbs !== undefined) {
    page.usage("<verb> [flags]").helpCommand(false);
    const terms = Object.entries(command.verbs).map(([name, { words = [] }]): [string, string] => [name, [name, ...words.map(wordText)].join(" ")]);
    page.configureHelp({ ...page.configureHelp(), subcommandTerm: (of) => new Map(terms).get(of.name()) ?? of.name() });
    for (const [name, { summary }] of Object.entries(command.verbs)) page.command(name).summary(summary);
  } else {
    page.usage([...leaf.words.map(wordText), "[flags]"].join(" "));
    for (const word of leaf.words) page.argument(`<${word.name}>`, word.help);
  }
  const examples = (leaf.examples ?? []).map((example) => `  ${example}\n`);
  return `${page.helpInformation()}${examples.length === 0 ? "" : `\nExamples:\n${examples.join("")}`}`;
}
