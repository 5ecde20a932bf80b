import { ANY_NUMBER, bool, type CommandTable, json, lazily, many, text } from "./command";

const configs = () => import("../config-commands");

export const CONFIG_COMMANDS: CommandTable = {
  config: {
    flags: { json: json.json, "show-secrets": bool },
    words: [0, 0],
    usage: "config",
    summary: "list the stack's settings",
    run: lazily(configs, "configList"),
  },
  "config get": {
    flags: { json: json.json, path: bool },
    words: [1, 1],
    usage: "config get <key>",
    summary: "print a setting",
    run: lazily(configs, "configGet"),
  },
  "config set": {
    flags: { secret: bool, plaintext: bool, path: bool, raw: bool, type: text },
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
  "config remove": { flags: { path: bool }, words: [1, 1], usage: "config remove <key>", summary: "remove a setting", run: lazily(configs, "configRm") },
  "config remove-all": {
    flags: { path: bool },
    words: [1, ANY_NUMBER],
    usage: "config remove-all <key>…",
    summary: "remove settings",
    run: lazily(configs, "configRm"),
  },
  "config copy": {
    flags: { dest: { ...text, short: "d" }, path: bool },
    words: [0, 1],
    usage: "config copy [key] --dest <stack>",
    summary: "copy one setting or all of them to another stack",
    run: lazily(configs, "configCopy"),
  },
  "config refresh": {
    flags: { force: { ...bool, short: "f" } },
    words: [0, 0],
    usage: "config refresh",
    summary: "take the settings of the last operation",
    run: lazily(configs, "configRefresh"),
  },
};
