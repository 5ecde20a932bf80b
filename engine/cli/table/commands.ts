/** Every command that works, by the name that the CLI's help gives it. */
import { ENGINE_VERSION } from "../../../common/engine-version";
import { CliError, EXIT_CODE, unsupported } from "../../errors";
import { bool, type CommandTable, json, lazily, text } from "./command";
import { CONFIG_COMMANDS } from "./config";
import { OPERATION_COMMANDS } from "./operation";
import { STACK_COMMANDS, STATE_COMMANDS } from "./stack";

const account = () => import("../account-commands");
const plugins = () => import("../plugin-commands");

export const COMMANDS: CommandTable = {
  ...OPERATION_COMMANDS,
  ...STACK_COMMANDS,
  ...STATE_COMMANDS,
  ...CONFIG_COMMANDS,
  version: {
    flags: {},
    words: [0, 0],
    usage: "version",
    summary: "print the version of the CLI that this engine follows",
    run: () => {
      process.stdout.write(`${ENGINE_VERSION}\n`);
      return EXIT_CODE.ok;
    },
  },
  whoami: {
    flags: { ...json, verbose: { ...bool, short: "v" } },
    words: [0, 0],
    usage: "whoami",
    summary: "print user and backend",
    run: lazily(account, "whoami"),
  },
  login: {
    flags: { local: { ...bool, short: "l" }, "cloud-url": { ...text, short: "c" } },
    words: [0, 1],
    usage: "login <url>",
    summary: "set the backend: file://… or s3://…",
    run: lazily(account, "login"),
  },
  logout: {
    flags: { all: bool, local: { ...bool, short: "l" }, "cloud-url": { ...text, short: "c" } },
    words: [0, 1],
    usage: "logout [url]",
    summary: "forget the backend",
    run: lazily(account, "logout"),
  },
  logs: {
    flags: { json: json.json, follow: { ...bool, short: "f" }, resource: { ...text, short: "r" }, since: text },
    words: [0, 0],
    usage: "logs",
    summary: "show what resources have logged",
    run: lazily(() => import("../logs-command"), "logs"),
  },
  "gen-completion": {
    flags: {},
    words: [1, 1],
    usage: "gen-completion bash|zsh|fish",
    summary: "print a script that completes commands and flags",
    run: async (flags) => (await import("../completion-command")).genCompletion(flags, COMMANDS),
  },
  about: { flags: json, words: [0, 0], usage: "about", summary: "print facts about this installation", run: lazily(account, "about") },
  "plugin list": { flags: json, words: [0, 0], usage: "plugin list", summary: "list installed plugins", run: lazily(plugins, "pluginLs") },
};

/** Commands that the CLI has and that have no answer here, though their names are known: why, and what to do instead. */
export const ANSWERED: Readonly<Record<string, () => CliError>> = {
  "org get-default": () => new CliError("file and S3 backends do not support organizations"),
  "org set-default": () => new CliError("file and S3 backends do not support organizations"),
  install: () => unsupported("`pulumi install` (run `npm ci`)"),
};
