import { defineCommand } from "../cli/command";
import { APPROVE, RUN_FLAGS, STACKS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 4,
  summary: "destroys the stacks, each before the stacks that it needs (named ones with all that need them)",
  notes:
    "Shows what it will destroy and asks for the name of the homelab, but not in the lab. Without a terminal and without --yes it refuses; --yes alone does not agree to delete what holds data, a VM or a cluster.",
  words: [STACKS],
  flags: [...RUN_FLAGS, YES, APPROVE, WAIT],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("destroy", args, session),
});
