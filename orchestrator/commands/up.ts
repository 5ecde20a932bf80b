import { defineCommand } from "../cli/command";
import { AFFECTED_FLAGS, APPROVE, RUN_FLAGS, STACKS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 1,
  summary: "creates or updates the stacks, each after the stacks that it needs (named ones with all that they need)",
  notes:
    "Shows what it will change and asks first, but not in the lab. Without a terminal and without --yes it refuses; --yes alone does not agree to replace or delete what holds data, a VM or a cluster.",
  examples: ["homelab up --lab", "homelab up dev --only", "homelab up --affected main..HEAD --why", "homelab up --plan plan.json"],
  words: [STACKS],
  flags: [
    ...RUN_FLAGS,
    ...AFFECTED_FLAGS,
    { name: "plan", value: "FILE", help: "do what this plan, written by `preview --plan`, says; refuse with exit code 4 where a new preview differs from it" },
    YES,
    APPROVE,
    WAIT,
  ],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("up", args, session),
});
