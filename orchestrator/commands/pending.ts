import { defineCommand } from "../cli/command";
import { QUERY_FLAGS, STACKS, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  summary: "lists the creations that a killed run did not finish",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "adopt", help: "look for what they made, and take it into the state" },
    { name: "clear", help: "forget them: what they made belongs to no stack then" },
    YES,
  ],
  examples: ["homelab pending --lab", "homelab pending dev --adopt"],
  run: async (args, session) => (await import("../run/show-pending")).showPending(args, session),
});
