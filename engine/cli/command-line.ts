/** From words to a command, and help. */
import { CliError, EXIT_CODE, unsupported } from "./cli-error";
import { COMMANDS, type Command, REFUSED_COMMANDS } from "./commands";
import { GLOBAL_FLAGS, parseFlags } from "./flags";

/** Where the first two words stand that are neither flags nor values of flags. */
function wordPositions(argv: readonly string[]): number[] {
  const found: number[] = [];
  for (let at = 0; at < argv.length && found.length < 2; at++) {
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

interface Found {
  command: Command;
  rest: string[];
}

/** The longest command that the words begin with. @throws CliError for what is no command, or none of ours */
function findCommand(argv: readonly string[]): Found {
  const positions = wordPositions(argv);
  const [first, second] = positions.map((at) => argv[at] ?? "");
  if (first === undefined) throw new CliError(`unknown flag: ${argv[0]}`, EXIT_CODE.usage);
  for (const count of [2, 1]) {
    const used = positions.slice(0, count);
    const name = used.map((at) => argv[at]).join(" ");
    const command = used.length === count && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) continue;
    // A group that takes no words of its own: a second word was meant as one of its commands.
    if (count === 1 && second !== undefined && command.words[1] === 0 && Object.keys(COMMANDS).some((key) => key.startsWith(`${first} `))) break;
    return { command, rest: argv.filter((_arg, at) => !used.includes(at)) };
  }
  if (second !== undefined && REFUSED_COMMANDS.has(`${first}-${second}`)) throw unsupported(`\`pulumi ${first} ${second}\``);
  const group = Object.keys(COMMANDS).filter((key) => key.startsWith(`${first} `));
  if (group.length > 0) {
    const what = second === undefined ? `\`pulumi ${first}\` needs a command` : `unknown command "${second}" for "pulumi ${first}"`;
    throw new CliError(`${what}: ${group.map((key) => key.slice(first.length + 1)).join(", ")}`, EXIT_CODE.usage);
  }
  if (REFUSED_COMMANDS.has(first)) throw unsupported(`\`pulumi ${first}\``);
  throw new CliError(`unknown command "${first}" for "pulumi"; see \`pulumi --help\``, EXIT_CODE.usage);
}

function help(prefix = ""): string {
  const commands = Object.entries(COMMANDS).filter(([name]) => name.startsWith(prefix));
  const width = Math.max(...commands.map(([, { usage }]) => usage.length));
  return commands.map(([, { usage, summary }]) => `  ${usage.padEnd(width)}  ${summary}`).join("\n");
}

function commandHelp({ usage, summary, flags }: Command): string {
  const lines = Object.entries({ ...flags, ...GLOBAL_FLAGS }).map(
    ([name, { type, short, multiple }]) =>
      `  ${short === undefined ? "    " : `-${short}, `}--${name}${type === "string" ? " <value>" : ""}${multiple === true ? " (several times)" : ""}`,
  );
  return `${summary}\n\nusage: pulumi ${usage}\n\nflags:\n${lines.join("\n")}\n`;
}

/** Runs one command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    process.stdout.write(
      `pulumi (embedded engine of homelab): a subset of the Pulumi CLI\n\n${help()}\n\n\`pulumi <command> --help\` lists a command's flags.\n`,
    );
    return first === undefined ? EXIT_CODE.usage : EXIT_CODE.ok;
  }
  const end = argv.indexOf("--");
  const wantsHelp = (end < 0 ? argv : argv.slice(0, end)).some((arg) => arg === "--help" || arg === "-h");
  if (wantsHelp && !Object.hasOwn(COMMANDS, first) && help(`${first} `) !== "" && wordPositions(argv).length === 1) {
    process.stdout.write(`${help(`${first} `)}\n`);
    return EXIT_CODE.ok;
  }
  const { command, rest } = findCommand(first === "--version" ? ["version"] : argv);
  if (wantsHelp) {
    process.stdout.write(commandHelp(command));
    return EXIT_CODE.ok;
  }
  return command.run(parseFlags(rest, command.flags, { min: command.words[0], max: command.words[1] }, command.usage));
}
