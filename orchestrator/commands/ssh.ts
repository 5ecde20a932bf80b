import { defineCommand } from "../cli/command";
import { QUERY_FLAGS } from "../cli/flags";

export const command = defineCommand({
  group: "hosts",
  summary: "opens an SSH session on a host, with the homelab's key from secrets/, which an agent holds in memory; exits with the exit code of ssh",
  words: [
    { name: "host", help: "the name of its VM" },
    { name: "command", help: "the command to run there instead of a shell; put -- before it where it has flags of its own", optional: true, many: true },
  ],
  flags: QUERY_FLAGS,
  examples: ["homelab ssh my-host --lab", "homelab ssh my-host -- uname -a"],
  run: async (args, session) => (await import("../hosts/open-shell")).openShell(args, session),
});
