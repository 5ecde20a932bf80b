/** docs/cli.md, from the descriptions of the commands. */
import { type Flag, GROUP_TITLES, GROUPS, type Leaf, leafOf, type NamedCommand, wordText } from "./command";
import { EXIT_CODES } from "./help";

/** Text in a cell of a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<");

const flagText = ({ name, value }: Flag): string => `\`--${name}${value === undefined ? "" : ` ${value}`}\``;

const flagHelp = ({ help, choices }: Flag): string => cell(choices === undefined ? help : `${help} (${choices.join(", ")})`);

function table(leaf: Leaf): string[] {
  const rows = [
    ...leaf.words.map((word) => `| \`${wordText(word)}\` | ${cell(word.choices === undefined ? word.help : `${word.help} (${word.choices.join(", ")})`)} |`),
    ...leaf.flags.map((flag) => `| ${flagText(flag)} | ${flagHelp(flag)} |`),
  ];
  return rows.length === 0 ? [] : ["", "| | |", "|---|---|", ...rows];
}

function section(leaf: Leaf, level: string): string[] {
  const line = ["homelab", leaf.path, ...leaf.words.map(wordText), ...(leaf.flags.length === 0 ? [] : ["[flags]"])].join(" ");
  return [
    `${level} homelab ${leaf.path}`,
    "",
    `\`${line}\`: ${leaf.summary}.`,
    ...(leaf.notes === undefined ? [] : ["", leaf.notes]),
    ...table(leaf),
    ...(leaf.examples === undefined ? [] : ["", "```sh", ...leaf.examples, "```"]),
    "",
  ];
}

function commandSections(command: NamedCommand): string[] {
  if (command.verbs === undefined) return section(leafOf(command, ""), "###");
  const head = [`### homelab ${command.name}`, "", `${command.summary}.`, ...(command.notes === undefined ? [] : ["", command.notes]), ""];
  return [...head, ...Object.keys(command.verbs).flatMap((verb) => section(leafOf(command, verb), "####"))];
}

/** The whole page. A test compares docs/cli.md with it. */
export function referencePage(commands: readonly NamedCommand[]): string {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const groups = GROUPS.flatMap((group) => {
    const found = shown.filter((command) => command.group === group);
    return found.length === 0 ? [] : [`## ${GROUP_TITLES[group]}`, "", ...found.flatMap(commandSections)];
  });
  return [
    "# Commands",
    "",
    "Made from the commands' descriptions by `homelab help --markdown > docs/cli.md`; a test says when it is out of date.",
    "",
    "`homelab` is on `PATH` after `npm link`; `npx homelab` works without. It may be run in any folder of the checkout. `homelab completion bash|zsh|fish` prints a script for the shell.",
    "",
    `Exit codes: ${EXIT_CODES}.`,
    "",
    ...groups,
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
