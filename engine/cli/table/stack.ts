import { ANY_NUMBER, bool, type CommandTable, json, lazily, text, yes } from "./command";

const stacks = () => import("../stack-commands");
const tags = () => import("../stack-tags");
const transfer = () => import("../stack-transfer");

const show = { "show-name": bool, "show-ids": { ...bool, short: "i" }, "show-urns": { ...bool, short: "u" }, "show-secrets": bool } as const;

export const STACK_COMMANDS: CommandTable = {
  stack: { flags: show, words: [0, 0], usage: "stack", summary: "show the current stack", run: lazily(stacks, "showStack") },
  "stack new": {
    flags: { ...yes, "secrets-provider": text, "no-select": bool, "copy-config-from": text },
    words: [0, 1],
    usage: "stack new [name]",
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
  "stack unselect": { flags: {}, words: [0, 0], usage: "stack unselect", summary: "unselect the current stack", run: lazily(stacks, "stackUnselect") },
  "stack list": {
    flags: { ...json, all: { ...bool, short: "a" }, project: { ...text, short: "p" } },
    words: [0, 0],
    usage: "stack list",
    summary: "list stacks",
    run: lazily(stacks, "stackLs"),
  },
  "stack remove": {
    flags: { ...yes, force: { ...bool, short: "f" }, "preserve-config": bool, "remove-backups": bool },
    words: [0, 1],
    usage: "stack remove [name]",
    summary: "remove a stack and its settings",
    run: lazily(stacks, "stackRm"),
  },
  "stack output": {
    flags: { json: json.json, shell: bool, "show-secrets": bool },
    words: [0, 1],
    usage: "stack output [name]",
    summary: "print outputs",
    run: lazily(() => import("../output-command"), "stackOutput"),
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
    flags: { ...json, "show-secrets": bool, "page-size": text, page: text, "full-dates": bool },
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
    run: lazily(() => import("../graph-command"), "stackGraph"),
  },
  "stack rename": { flags: {}, words: [1, 1], usage: "stack rename <name>", summary: "give a stack another name", run: lazily(stacks, "stackRename") },
  "stack tag list": { flags: json, words: [0, 0], usage: "stack tag list", summary: "list a stack's tags", run: lazily(tags, "tagList") },
  "stack tag get": { flags: {}, words: [1, 1], usage: "stack tag get <name>", summary: "print a tag", run: lazily(tags, "tagGet") },
  "stack tag set": { flags: {}, words: [2, 2], usage: "stack tag set <name> <value>", summary: "set a tag", run: lazily(tags, "tagSet") },
  "stack tag remove": { flags: {}, words: [1, 1], usage: "stack tag remove <name>", summary: "remove a tag", run: lazily(tags, "tagRemove") },
  "stack change-secrets-provider": {
    flags: {},
    words: [1, 1],
    usage: "stack change-secrets-provider passphrase",
    summary: "encrypt the secrets under another passphrase",
    run: lazily(() => import("../secrets-provider-command"), "changeSecretsProvider"),
  },
};

const states = () => import("../state-commands");

export const STATE_COMMANDS: CommandTable = {
  "state get": {
    flags: { output: json.output, "show-secrets": bool },
    words: [0, 1],
    usage: "state get <urn or name>",
    summary: "show a resource as the state has it",
    run: lazily(() => import("../state-get"), "stateGet"),
  },
  "state edit": {
    flags: {},
    words: [0, 0],
    usage: "state edit",
    summary: "edit the state in $EDITOR",
    run: lazily(() => import("../state-edit"), "stateEdit"),
  },
  "state taint": {
    flags: yes,
    words: [1, ANY_NUMBER],
    usage: "state taint <urn>…",
    summary: "have the next update replace resources",
    run: lazily(states, "stateTaint"),
  },
  "state untaint": {
    flags: { ...yes, all: bool },
    words: [0, ANY_NUMBER],
    usage: "state untaint [urn…]",
    summary: "take a taint back",
    run: lazily(states, "stateUntaint"),
  },
  "state remove": {
    flags: { ...yes, force: bool, all: bool, "target-dependents": bool },
    words: [0, 1],
    usage: "state remove [urn]",
    summary: "forget a resource without deleting it",
    run: lazily(states, "stateDelete"),
  },
  "state protect": {
    flags: { ...yes, all: bool },
    words: [0, ANY_NUMBER],
    usage: "state protect [urn…]",
    summary: "protect resources",
    run: lazily(states, "stateProtect"),
  },
  "state unprotect": {
    flags: { ...yes, all: bool },
    words: [0, ANY_NUMBER],
    usage: "state unprotect [urn…]",
    summary: "end the protection of resources",
    run: lazily(states, "stateUnprotect"),
  },
  "state move": {
    flags: { ...yes, source: text, dest: text, "include-parents": bool },
    words: [1, ANY_NUMBER],
    usage: "state move <urn>…",
    summary: "move resources with their descendants between two stacks of the project",
    run: lazily(() => import("../state-move"), "stateMove"),
  },
  "state repair": {
    flags: yes,
    words: [0, 0],
    usage: "state repair",
    summary: "sort the entries of a broken state and drop references to missing resources",
    run: lazily(() => import("../state-repair"), "stateRepair"),
  },
  "state rename": { flags: yes, words: [2, 2], usage: "state rename <urn> <name>", summary: "rename a resource", run: lazily(states, "stateRename") },
};
