import { operationFlags } from "../operation-flags";
import { bool, type Command, type CommandTable, json, lazily, text, yes } from "./command";

function operation(name: "preview" | "up" | "refresh" | "destroy", summary: string): Command {
  return {
    flags: operationFlags(name),
    words: [0, 0],
    usage: `${name} [flags]`,
    summary,
    run: async (flags) => (await import("../operations")).runOperation(name, flags),
  };
}

export const OPERATION_COMMANDS: CommandTable = {
  preview: operation("preview", "show what `up` would do"),
  up: operation("up", "create, update and delete what differs from the program"),
  refresh: operation("refresh", "update the state from the real resources"),
  destroy: operation("destroy", "delete all that the stack holds"),
  import: {
    flags: {
      ...yes,
      ...{ message: { ...text, short: "m" }, diff: bool, json: json.json, parallel: { ...text, short: "p" }, debug: { ...bool, short: "d" } },
      ...{ "skip-preview": bool, "preview-only": bool, "event-log": text, "suppress-outputs": bool, "suppress-progress": bool, "suppress-permalink": bool },
      ...{ "skip-plugin-pre-install": bool, urns: bool },
      file: { ...text, short: "f" },
      out: { ...text, short: "o" },
      ...{ "exec-kind": text, "exec-agent": text },
      ...{ parent: text, provider: text, protect: { ...bool, default: true }, "generate-code": { ...bool, default: true } },
    },
    words: [0, 3],
    usage: "import [<type> <name> <id>]",
    summary: "import existing resources into the stack: one, or those of --file",
    run: lazily(() => import("../import-command"), "importResources"),
  },
  cancel: {
    flags: yes,
    words: [0, 1],
    usage: "cancel [stack]",
    summary: "remove the locks of a stack, whoever holds them",
    run: lazily(() => import("../stack-commands"), "cancel"),
  },
};
