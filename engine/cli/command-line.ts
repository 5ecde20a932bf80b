/** Finds and runs the command of a command line, and prints help. */
import { ENGINE_VERSION } from "../../common/engine-version";
import { CliError, cloudOnly, EXIT_CODE, unsupported } from "../errors";
import { GLOBAL_FLAGS, parseFlags } from "./flags";
import { CLOUD_ONLY, listedCommand, listedFlag, REFUSED } from "./surface";
import type { Command } from "./table/command";
import { ANSWERED, COMMANDS } from "./table/commands";

/** Other names of commands, as the CLI has them: of the first word, and of every other. */
const ALIASES: readonly Readonly<Record<string, string>>[] = [
  { update: "up", down: "destroy", dn: "destroy", pre: "preview", create: "new", setup: "new", completion: "gen-completion", esc: "env" },
  {
    ...{ ls: "list", rm: "remove", delete: "remove", init: "new", create: "new", setup: "new", mv: "move", cp: "copy", update: "edit", modify: "edit" },
    ...{ "rm-all": "remove-all", "delete-all": "remove-all", hist: "history" },
  },
];

const canonical = (word: string, at: number): string => {
  const names = ALIASES[Math.min(at, 1)] ?? {};
  return Object.hasOwn(names, word) ? (names[word] ?? word) : word;
};

/** The deepest command has this many words. */
const DEPTH = 4;

/** Where the first words stand that are neither flags nor values of flags. */
function wordPositions(argv: readonly string[]): number[] {
  const found: number[] = [];
  for (let at = 0; at < argv.length && found.length < DEPTH; at++) {
    const arg = argv[at] ?? "";
    if (arg === "--") break;
    if (!arg.startsWith("-")) found.push(at);
    else if (!arg.includes("=")) {
      const spec = Object.entries(GLOBAL_FLAGS).find(([name, { short }]) => arg === `--${name}` || (short !== undefined && arg === `-${short}`));
      // Its value is the next argument.
      if (spec?.[1].type === "string") at++;
    }
  }
  return found;
}

const isBelow = (name: string, group: string): boolean => group === "" || name.startsWith(`${group} `);
const commandsBelow = (group: string): [string, Command][] => Object.entries(COMMANDS).filter(([name]) => isBelow(name, group));

interface Found {
  /** Undefined: a group of commands, without one of them. */
  command: Command | undefined;
  /** "" where nothing but flags was given. */
  name: string;
  rest: string[];
}

/** @throws CliError for what the CLI has and this engine has not */
function refuse(name: string): void {
  const answer = Object.hasOwn(ANSWERED, name) ? ANSWERED[name] : undefined;
  if (answer !== undefined) throw answer();
  if (listedCommand(REFUSED, name) !== undefined) throw unsupported(`\`pulumi ${name}\``);
  if (listedCommand(CLOUD_ONLY, name) !== undefined) throw cloudOnly(`\`pulumi ${name}\``);
}

/** The longest command that the words begin with. @throws CliError for what is no command, or none of ours */
function findCommand(argv: readonly string[]): Found {
  const positions = wordPositions(argv);
  const words = positions.map((at, i) => canonical(argv[at] ?? "", i));
  const without = (count: number): string[] => argv.filter((_arg, at) => !positions.slice(0, count).includes(at));
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join(" ");
    refuse(name);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    const isGroup = commandsBelow(name).length > 0;
    if (command === undefined && !isGroup) continue;
    const next = positions[count];
    // A group takes no words of its own: a further word was meant as one of its commands.
    if (isGroup && next !== undefined && (command === undefined || command.words[1] === 0)) throw unknownCommand(argv[next] ?? "", name);
    return { command, name, rest: without(count) };
  }
  if (words.length > 0) throw unknownCommand(argv[positions[0] ?? 0] ?? "", "");
  return { command: undefined, name: "", rest: [...argv] };
}

function unknownCommand(word: string, group: string): CliError {
  const path = group === "" ? "pulumi" : `pulumi ${group}`;
  const names =
    group === ""
      ? ""
      : `: ${commandsBelow(group)
          .map(([name]) => name.slice(group.length + 1))
          .join(", ")}`;
  return new CliError(`unknown command "${word}" for "${path}"${names}\nRun '${path} --help' for usage.`);
}

function groupHelp(group: string): string {
  const commands = commandsBelow(group);
  const width = Math.max(...commands.map(([, { usage }]) => usage.length));
  const list = commands.map(([, { usage, summary }]) => `  ${usage.padEnd(width)}  ${summary}`).join("\n");
  if (group !== "") return `${list}\n`;
  return `pulumi (embedded engine of homelab): a subset of the Pulumi CLI\n\n${list}\n\n\`pulumi <command> --help\` lists a command's flags.\n`;
}

function commandHelp({ usage, summary, flags }: Command, name: string): string {
  const lines = Object.entries({ ...flags, ...GLOBAL_FLAGS }).map(
    ([flag, { type, short, multiple }]) =>
      `  ${short === undefined ? "    " : `-${short}, `}--${flag}${type === "string" ? " <value>" : ""}${multiple === true ? " (several times)" : ""}`,
  );
  const below = commandsBelow(name).length > 0 ? `\ncommands:\n${groupHelp(name)}` : "";
  return `${summary}\n\nusage: pulumi ${usage}\n${below}\nflags:\n${lines.join("\n")}\n`;
}

const helpOf = ({ command, name }: Found): string => (command === undefined ? groupHelp(name) : commandHelp(command, name));

function knownFlag(command: string, flag: string): CliError | undefined {
  const of = command === "" ? "" : ` of \`pulumi ${command}\``;
  const refused = listedFlag(REFUSED, command, flag);
  if (refused !== undefined) return unsupported(`--${refused}${of}`);
  const cloud = listedFlag(CLOUD_ONLY, command, flag);
  return cloud === undefined ? undefined : cloudOnly(`--${cloud}${of}`);
}

/** Runs one command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const wantsHelp = own.some((arg) => arg === "--help" || arg === "-h");
  const asksHelp = canonical(argv[wordPositions(argv)[0] ?? -1] ?? "", 0) === "help";
  if (asksHelp) {
    const at = wordPositions(argv)[0] ?? 0;
    process.stdout.write(helpOf(findCommand(argv.filter((_arg, i) => i !== at))));
    return EXIT_CODE.ok;
  }
  const found = findCommand(argv);
  if (found.name === "" && own.includes("--version")) {
    process.stdout.write(`${ENGINE_VERSION}\n`);
    return EXIT_CODE.ok;
  }
  if (wantsHelp || found.command === undefined) {
    if (!wantsHelp) parseFlags(found.rest, { flags: {}, words: [0, 0], usage: found.name }, (flag) => knownFlag(found.name, flag));
    process.stdout.write(helpOf(found));
    return wantsHelp ? EXIT_CODE.ok : EXIT_CODE.failed;
  }
  const { command, name } = found;
  return command.run(parseFlags(found.rest, command, (flag) => knownFlag(name, flag)));
}
