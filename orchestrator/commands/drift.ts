import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  place: 2,
  summary: "shows what was changed behind the states and roles, by field; exits with 3 where there is something",
  notes: "Reads every resource of the stacks, and what the roles would change on their hosts. Changes nothing, neither there nor in the states.",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "stacks-only", help: "do not look at the hosts" },
    { name: "names-only", help: "name what differs without its values, for an issue or a log that others read" },
    JSON_OUTPUT,
    { name: "report", value: "FILE", help: "write what was found as JSON to FILE, for `homelab issue`" },
  ],
  examples: ["homelab drift --lab", "homelab drift dev --stacks-only --json"],
  run: async (args, session) => (await import("../drift/find-drift")).findDrift(args, session),
});
