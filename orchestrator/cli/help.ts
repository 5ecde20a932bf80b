/** The help of the whole CLI, of a command and of a verb, from their descriptions. */
import { Command } from "commander";
import { optionOf } from "./arguments";
import { GROUP_TITLES, GROUPS, leafOf, type NamedCommand, wordText } from "./command";

/** What `homelab` ends with (cli/exit-codes.ts). */
export const EXIT_CODES = "0 done, 1 failed, 2 usage (also a name that the checkout does not have), 3 changes found, 4 refused, 130 interrupted";

const wrapped = (text: string): string => (text === "" ? "" : `\n\n${text}`);

/** The overview: each command with its summary. */
export function overview(commands: readonly NamedCommand[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const width = Math.max(...shown.map(({ name }) => name.length)) + 2;
  const groups = GROUPS.map((group) => {
    const lines = shown.filter((command) => command.group === group).map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
    return lines.length === 0 ? "" : `${GROUP_TITLES[group]}:\n${lines.join("\n")}\n\n`;
  });
  return [
    "homelab: previews, builds, rebuilds and destroys the homelab's stacks in order\n\n",
    "Usage: homelab <command> [flags]\n\n",
    ...groups,
    "Flags and examples of a command: homelab help <command>, or homelab <command> --help. Version: homelab --version.\n",
    `Exit codes: ${EXIT_CODES}.\n`,
  ].join("");
}

/** @param verb empty for the command itself. @param columns of the terminal */
export function helpText(command: NamedCommand, verb: string, columns: number): string {
  const leaf = leafOf(command, verb);
  const page = new Command(`homelab ${leaf.path}`).helpOption("-h, --help", "print this").configureHelp({ helpWidth: Math.max(40, columns) });
  page.description(`${leaf.summary}${wrapped(leaf.notes ?? "")}`);
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
