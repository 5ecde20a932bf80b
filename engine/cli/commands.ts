/** Every command with its flags; a command's code is loaded when it is run. */
import { ENGINE_VERSION } from "../backend/version";
import { CliError, EXIT_CODE, unsupported } from "./cli-error";
import type { FlagSpec, Flags } from "./flags";
import { operationFlags } from "./operation-flags";

export interface Command {
  flags: FlagSpec;
  /** How many words it takes. */
  words: [min: number, max: number];
  usage: string;
  summary: string;
  run(flags: Flags): number | Promise<number>;
}

const bool = { type: "boolean" } as const;
const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;
const yes = { ...bool, short: "y" } as const;
const json = { ...bool, short: "j" } as const;
const MAX = Number.MAX_SAFE_INTEGER;

type Run = (flags: Flags) => number | Promise<number>;

/** Runs one function of a module that is loaded then. */
function lazily<M extends Record<N, Run>, N extends string>(load: () => Promise<M>, name: N): Run {
  return async (flags) => (await load())[name](flags);
}
const account = () => import("./account-commands");
const configs = () => import("./config-commands");
const stacks = () => import("./stack-commands");
const states = () => import("./state-commands");
const transfer = () => import("./stack-transfer");

function operation(name: "preview" | "up" | "refresh" | "destroy", summary: string): Command {
  return {
    flags: operationFlags(name),
    words: [0, 0],
    usage: `${name} [flags]`,
    summary,
    run: async (flags) => (await import("./operations")).runOperation(name, flags),
  };
}

export const COMMANDS: Record<string, Command> = {
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
  preview: operation("preview", "show what `up` would do"),
  up: operation("up", "create, update and delete what differs from the program"),
  refresh: operation("refresh", "read the real world into the state"),
  destroy: operation("destroy", "delete all that the stack holds"),
  import: {
    flags: {
      ...{ yes, message: { ...text, short: "m" }, diff: bool, json, parallel: { ...text, short: "p" }, debug: { ...bool, short: "d" } },
      ...{ "skip-preview": bool, "preview-only": bool, "event-log": text, "suppress-outputs": bool, "show-secrets": bool },
      file: { ...text, short: "f" },
      out: { ...text, short: "o" },
      parent: text,
      provider: text,
      "plugin-version": text,
      protect: text,
      "generate-code": text,
    },
    words: [0, 3],
    usage: "import [<type> <name> <id>]",
    summary: "take resources that exist into the stack, one or those of --file",
    run: lazily(() => import("./import-command"), "importResources"),
  },
  cancel: { flags: { yes }, words: [0, 1], usage: "cancel [stack]", summary: "remove the locks of a stack, whoever holds them", run: lazily(stacks, "cancel") },
  whoami: {
    flags: { json, verbose: { ...bool, short: "v" } },
    words: [0, 0],
    usage: "whoami",
    summary: "print user and backend",
    run: lazily(account, "whoami"),
  },
  login: {
    flags: { local: { ...bool, short: "l" } },
    words: [0, 1],
    usage: "login <url>",
    summary: "set the backend: file://… or s3://…",
    run: lazily(account, "login"),
  },
  logout: { flags: { all: bool }, words: [0, 1], usage: "logout", summary: "forget the backend", run: lazily(account, "logout") },
  about: { flags: { json }, words: [0, 0], usage: "about", summary: "print facts about this installation", run: lazily(account, "about") },
  stack: {
    flags: { "show-name": bool, "show-ids": { ...bool, short: "i" }, "show-urns": { ...bool, short: "u" }, "show-secrets": bool },
    words: [0, 0],
    usage: "stack",
    summary: "show the current stack",
    run: lazily(stacks, "showStack"),
  },
  "stack init": {
    flags: { "secrets-provider": text, "no-select": bool },
    words: [0, 1],
    usage: "stack init [name]",
    summary: "create an empty stack",
    run: lazily(stacks, "stackInit"),
  },
  "stack select": {
    flags: { create: { ...bool, short: "c" }, "secrets-provider": text },
    words: [0, 1],
    usage: "stack select [name]",
    summary: "make a stack the current one",
    run: lazily(stacks, "stackSelect"),
  },
  "stack unselect": { flags: {}, words: [0, 0], usage: "stack unselect", summary: "have no current stack", run: lazily(stacks, "stackUnselect") },
  "stack ls": {
    flags: { json, all: { ...bool, short: "a" }, project: { ...text, short: "p" } },
    words: [0, 0],
    usage: "stack ls",
    summary: "list stacks",
    run: lazily(stacks, "stackLs"),
  },
  "stack rm": {
    flags: { yes, force: { ...bool, short: "f" }, "preserve-config": bool },
    words: [0, 1],
    usage: "stack rm [name]",
    summary: "remove a stack and its settings",
    run: lazily(stacks, "stackRm"),
  },
  "stack output": {
    flags: { json, "show-secrets": bool },
    words: [0, 1],
    usage: "stack output [name]",
    summary: "print outputs",
    run: lazily(() => import("./output-command"), "stackOutput"),
  },
  "stack export": {
    flags: { file: text, "show-secrets": bool, version: text },
    words: [0, 0],
    usage: "stack export",
    summary: "write the state to a file or standard output",
    run: lazily(transfer, "stackExport"),
  },
  "stack import": {
    flags: { file: text, force: { ...bool, short: "f" } },
    words: [0, 0],
    usage: "stack import",
    summary: "replace the state by an exported one",
    run: lazily(transfer, "stackImport"),
  },
  "stack history": {
    flags: { json, "show-secrets": bool, "page-size": text, page: text, "full-dates": bool },
    words: [0, 0],
    usage: "stack history",
    summary: "list what was done, newest first",
    run: lazily(stacks, "stackHistory"),
  },
  "stack graph": {
    flags: {
      ...{ "ignore-parent-edges": bool, "ignore-dependency-edges": bool, "short-node-name": bool },
      ...{ "dependency-edge-color": text, "parent-edge-color": text, "dot-fragment": text },
    },
    words: [1, 1],
    usage: "stack graph <file>",
    summary: "write the state's dependencies as a DOT graph",
    run: lazily(() => import("./graph-command"), "stackGraph"),
  },
  "stack rename": { flags: {}, words: [1, 1], usage: "stack rename <name>", summary: "give a stack another name", run: lazily(stacks, "stackRename") },
  "stack tag": { flags: { json }, words: [1, 3], usage: "stack tag ls|get|set|rm", summary: "read and write a stack's tags", run: lazily(stacks, "stackTag") },
  "stack change-secrets-provider": {
    flags: {},
    words: [1, 1],
    usage: "stack change-secrets-provider passphrase",
    summary: "encrypt the secrets under another passphrase",
    run: lazily(() => import("./secrets-provider-command"), "changeSecretsProvider"),
  },
  "state delete": {
    flags: { yes, force: bool, all: bool, "target-dependents": bool },
    words: [0, 1],
    usage: "state delete [urn]",
    summary: "forget a resource without deleting it",
    run: lazily(states, "stateDelete"),
  },
  "state protect": {
    flags: { yes, all: bool },
    words: [0, MAX],
    usage: "state protect [urn…]",
    summary: "protect resources",
    run: lazily(states, "stateProtect"),
  },
  "state unprotect": {
    flags: { yes, all: bool },
    words: [0, MAX],
    usage: "state unprotect [urn…]",
    summary: "end the protection of resources",
    run: lazily(states, "stateUnprotect"),
  },
  "state move": {
    flags: { yes, source: text, dest: text, "include-parents": bool },
    words: [1, MAX],
    usage: "state move <urn>…",
    summary: "move resources, and what stands below them, between two stacks of the project",
    run: lazily(() => import("./state-move"), "stateMove"),
  },
  "state rename": { flags: { yes }, words: [2, 2], usage: "state rename <urn> <name>", summary: "rename a resource", run: lazily(states, "stateRename") },
  config: {
    flags: { json, "show-secrets": bool, open: bool },
    words: [0, 0],
    usage: "config",
    summary: "list the stack's settings",
    run: lazily(configs, "configList"),
  },
  "config get": {
    flags: { json, path: bool, open: bool },
    words: [1, 1],
    usage: "config get <key>",
    summary: "print a setting",
    run: lazily(configs, "configGet"),
  },
  "config set": {
    flags: { secret: bool, plaintext: bool, path: bool, type: text },
    words: [1, 2],
    usage: "config set <key> [value]",
    summary: "set a setting; without a value it is read from standard input",
    run: lazily(configs, "configSet"),
  },
  "config set-all": {
    flags: { secret: many, plaintext: many, path: bool, json: text },
    words: [0, 0],
    usage: "config set-all",
    summary: "set several settings",
    run: lazily(configs, "configSetAll"),
  },
  "config rm": { flags: { path: bool }, words: [1, 1], usage: "config rm <key>", summary: "remove a setting", run: lazily(configs, "configRm") },
  "config rm-all": { flags: { path: bool }, words: [0, MAX], usage: "config rm-all <key>…", summary: "remove settings", run: lazily(configs, "configRm") },
  "config refresh": {
    flags: { force: { ...bool, short: "f" } },
    words: [0, 0],
    usage: "config refresh",
    summary: "take the settings of the last operation",
    run: lazily(configs, "configRefresh"),
  },
  "config env": {
    flags: { json: bool, yes: bool },
    words: [0, MAX],
    usage: "config env",
    summary: "refused: environments are of Pulumi Cloud",
    run: lazily(configs, "configEnv"),
  },
  "plugin ls": {
    flags: { json, project: { ...bool, short: "p" } },
    words: [0, 0],
    usage: "plugin ls",
    summary: "list installed plugins",
    run: lazily(() => import("./plugin-commands"), "pluginLs"),
  },
  "org get-default": {
    flags: {},
    words: [0, 0],
    usage: "org get-default",
    summary: "refused: there are no organizations here",
    run: () => {
      throw new CliError("file and S3 backends do not support organizations");
    },
  },
  install: {
    flags: { "no-plugins": bool, "no-dependencies": bool, reinstall: bool, "use-language-version-tools": bool },
    words: [0, 0],
    usage: "install",
    summary: "refused: run `npm ci`",
    run: () => {
      throw unsupported("`install` (run `npm ci`)");
    },
  },
};

/** Commands of the CLI that this engine does not have; anything else is a typing error. */
export const REFUSED_COMMANDS = new Set(
  (
    "ai console convert deployment env gen-completion logs neo new org package plugin policy project schema template watch state config " +
    "stack-webhook stack-schedule state-edit state-repair state-taint state-untaint state-upgrade config-cp org-set-default plugin-install plugin-rm plugin-run"
  ).split(" "),
);
