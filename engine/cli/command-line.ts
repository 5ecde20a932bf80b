/** Every command with its flags; a command's code is loaded when it is run. */
import { ENGINE_VERSION } from "../backend/version";
import { CliError, EXIT_CODE, unsupported } from "./cli-error";
import { type FlagSpec, type Flags, parseFlags } from "./flags";

interface Command {
  flags: FlagSpec;
  /** How many words it takes. */
  words: [min: number, max: number];
  usage: string;
  run(flags: Flags): number | Promise<number>;
}

const bool = { type: "boolean" } as const;
const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;

const stackCommand = (name: keyof typeof import("./stack-commands")) => async (flags: Flags) => {
  const commands = await import("./stack-commands");
  return (commands[name] as (flags: Flags) => number)(flags);
};
const configCommand = (name: keyof typeof import("./config-commands")) => async (flags: Flags) => {
  const commands = await import("./config-commands");
  return (commands[name] as (flags: Flags) => number)(flags);
};

function operation(name: "preview" | "up" | "refresh" | "destroy"): Command {
  return {
    // Loaded with the command: the table only needs to know that there is one.
    get flags() {
      return (require("./operations") as typeof import("./operations")).OPERATION_FLAGS;
    },
    words: [0, 0],
    usage: `${name} [flags]`,
    run: async (flags) => (await import("./operations")).runOperation(name, flags),
  };
}

const MAX = Number.MAX_SAFE_INTEGER;

const COMMANDS: Record<string, Command> = {
  version: {
    flags: {},
    words: [0, 0],
    usage: "version",
    run: () => {
      process.stdout.write(`${ENGINE_VERSION}\n`);
      return EXIT_CODE.ok;
    },
  },
  preview: operation("preview"),
  up: operation("up"),
  refresh: operation("refresh"),
  destroy: operation("destroy"),
  cancel: { flags: { yes: { ...bool, short: "y" } }, words: [0, 1], usage: "cancel [stack] --yes", run: stackCommand("cancel") },
  whoami: { flags: { json: bool, verbose: bool }, words: [0, 0], usage: "whoami", run: stackCommand("whoami") },
  login: { flags: { local: bool }, words: [0, 1], usage: "login file://<folder>", run: stackCommand("login") },
  logout: { flags: { all: bool }, words: [0, 1], usage: "logout", run: stackCommand("logout") },
  stack: {
    flags: { "show-name": bool, "show-ids": bool, "show-urns": bool, "show-secrets": bool },
    words: [0, 0],
    usage: "stack",
    run: stackCommand("showStack"),
  },
  "stack init": { flags: { "secrets-provider": text, "no-select": bool }, words: [0, 1], usage: "stack init <name>", run: stackCommand("stackInit") },
  "stack select": {
    flags: { create: { ...bool, short: "c" }, "secrets-provider": text },
    words: [0, 1],
    usage: "stack select <name>",
    run: stackCommand("stackSelect"),
  },
  "stack ls": { flags: { json: { ...bool, short: "j" }, all: { ...bool, short: "a" } }, words: [0, 0], usage: "stack ls", run: stackCommand("stackLs") },
  "stack rm": {
    flags: { yes: { ...bool, short: "y" }, force: { ...bool, short: "f" }, "preserve-config": bool },
    words: [0, 1],
    usage: "stack rm [name] --yes",
    run: stackCommand("stackRm"),
  },
  "stack output": {
    flags: { json: { ...bool, short: "j" }, "show-secrets": bool },
    words: [0, 1],
    usage: "stack output [name]",
    run: stackCommand("stackOutput"),
  },
  "stack export": { flags: { file: text, "show-secrets": bool }, words: [0, 0], usage: "stack export", run: stackCommand("stackExport") },
  "stack import": { flags: { file: text, force: { ...bool, short: "f" } }, words: [0, 0], usage: "stack import", run: stackCommand("stackImport") },
  "stack history": {
    flags: { json: { ...bool, short: "j" }, "show-secrets": bool, "page-size": text, page: text, "full-dates": bool },
    words: [0, 0],
    usage: "stack history",
    run: stackCommand("stackHistory"),
  },
  "stack rename": { flags: {}, words: [1, 1], usage: "stack rename <name>", run: stackCommand("stackRename") },
  "stack tag": { flags: { json: { ...bool, short: "j" } }, words: [1, 3], usage: "stack tag ls|get|set|rm", run: stackCommand("stackTag") },
  config: { flags: { json: { ...bool, short: "j" }, "show-secrets": bool, open: bool }, words: [0, 0], usage: "config", run: configCommand("configList") },
  "config get": { flags: { json: { ...bool, short: "j" }, path: bool, open: bool }, words: [1, 1], usage: "config get <key>", run: configCommand("configGet") },
  "config set": {
    flags: { secret: bool, plaintext: bool, path: bool, type: text },
    words: [1, 2],
    usage: "config set <key> [value]",
    run: configCommand("configSet"),
  },
  "config set-all": {
    flags: { secret: many, plaintext: many, path: bool, json: text },
    words: [0, 0],
    usage: "config set-all",
    run: configCommand("configSetAll"),
  },
  "config rm": { flags: { path: bool }, words: [1, 1], usage: "config rm <key>", run: configCommand("configRm") },
  "config rm-all": { flags: { path: bool }, words: [0, MAX], usage: "config rm-all <key>…", run: configCommand("configRm") },
  "config refresh": { flags: { force: { ...bool, short: "f" } }, words: [0, 0], usage: "config refresh --force", run: configCommand("configRefresh") },
  "config env": { flags: { json: bool, yes: bool }, words: [0, MAX], usage: "config env", run: configCommand("configEnv") },
  "plugin ls": {
    flags: { json: { ...bool, short: "j" }, project: bool },
    words: [0, 0],
    usage: "plugin ls",
    run: async (flags) => (await import("./plugin-commands")).pluginLs(flags),
  },
  install: {
    flags: { "no-plugins": bool, "no-dependencies": bool, reinstall: bool, "use-language-version-tools": bool },
    words: [0, 0],
    usage: "install",
    run: () => {
      throw unsupported("`install` (run `npm ci`)");
    },
  },
};

/** The longest command that the words begin with. */
function findCommand(argv: readonly string[]): { name: string; rest: string[] } | undefined {
  const words = argv.slice(0, 2).filter((word) => !word.startsWith("-"));
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(" ");
    if (words.length >= count && Object.hasOwn(COMMANDS, name)) return { name, rest: argv.slice(count) };
  }
  return undefined;
}

function help(): string {
  return `pulumi (embedded engine of homelab): a subset of the Pulumi CLI\n\n${Object.values(COMMANDS)
    .map(({ usage }) => `  ${usage}`)
    .join("\n")}\n`;
}

/** Runs one command line; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    process.stdout.write(help());
    return first === undefined ? EXIT_CODE.usage : EXIT_CODE.ok;
  }
  const found = findCommand(first === "--version" ? ["version"] : argv);
  if (found === undefined) throw first.startsWith("-") ? new CliError(`unknown flag: ${first}`, EXIT_CODE.usage) : unsupported(`\`pulumi ${first}\``);
  const command = COMMANDS[found.name];
  if (command === undefined) throw new Error(`no command ${found.name}`);
  if (found.rest.includes("--help") || found.rest.includes("-h")) {
    process.stdout.write(
      `usage: pulumi ${command.usage}\nflags: ${Object.keys(command.flags)
        .map((flag) => `--${flag}`)
        .join(" ")}\n`,
    );
    return EXIT_CODE.ok;
  }
  return command.run(parseFlags(found.rest, command.flags, { min: command.words[0], max: command.words[1] }, command.usage));
}
