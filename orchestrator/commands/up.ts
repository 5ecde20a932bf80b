import { defineCommand } from "../cli/command";
import { AFFECTED_FLAGS, APPROVE, RUN_FLAGS, STACKS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 1,
  summary: "builds or updates the stacks, in order (named ones with all that they need)",
  notes:
    "Shows what it will change and asks first, but not in the lab. Without a terminal and without --yes it refuses; --yes alone does not agree to replace or delete what holds data, a VM or a cluster.",
  examples: ["homelab up --lab", "homelab up dev --only", "homelab up --affected main..HEAD --why", "homelab up --plan plan.json"],
  words: [STACKS],
  flags: [
    ...RUN_FLAGS,
    ...AFFECTED_FLAGS,
    { name: "plan", value: "FILE", help: "do what this plan of `preview --plan` says, or refuse where it would be something else now" },
    YES,
    APPROVE,
    WAIT,
  ],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("up", args, session),
});
