import { defineCommand } from "../cli/command";
import { QUERY_FLAGS, STACKS, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  summary: "lists the pending creations of the stacks: a killed run began them, and nobody knows whether the resource exists",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "adopt", help: "look for the resources, and take those that exist into the state" },
    { name: "clear", help: "forget them: resources that exist all the same then belong to no stack; asks for a yes first, except in the lab" },
    YES,
  ],
  examples: ["homelab pending --lab", "homelab pending dev --adopt"],
  run: async (args, session) => (await import("../run/show-pending")).showPending(args, session),
});
