import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  place: 2,
  summary:
    "shows by field what differs from the states and from what the host roles make; exits with 3 where something differs, with 1 where a stack or host could not be looked at",
  notes: "Reads every resource of the stacks, and runs the roles in check mode on their hosts. It changes no resource, no host and no state.",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "stacks-only", help: "do not look at the hosts" },
    { name: "names-only", help: "name the fields that differ without their values, for an issue or a log that others read" },
    JSON_OUTPUT,
    { name: "report", value: "FILE", help: "write what was found as JSON to FILE, for `homelab issue`" },
  ],
  examples: ["homelab drift --lab", "homelab drift dev --stacks-only --json"],
  run: async (args, session) => (await import("../drift/find-drift")).findDrift(args, session),
});
