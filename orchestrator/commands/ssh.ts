import { defineCommand } from "../cli/command";
import { QUERY_FLAGS } from "../cli/flags";

export const command = defineCommand({
  group: "hosts",
  summary: "opens a session on a host, with the homelab's key from secrets/, which is never on disk",
  words: [
    { name: "host", help: "the name of its VM" },
    { name: "command", help: "what to run there instead of a shell; its own flags stand behind --", optional: true, many: true },
  ],
  flags: QUERY_FLAGS,
  examples: ["homelab ssh my-host --lab", "homelab ssh my-host -- uname -a"],
  run: async (args, session) => (await import("../hosts/open-shell")).openShell(args, session),
});
