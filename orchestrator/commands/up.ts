import { defineCommand } from "../cli/command";
import { RUN_FLAGS, STACKS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 1,
  summary: "builds or updates the stacks, in order (named ones with all that they need)",
  notes: "Shows what it will change and asks first, but not in the lab. Without a terminal and without --yes it refuses.",
  examples: ["homelab up --lab", "homelab up dev --only"],
  words: [STACKS],
  flags: [...RUN_FLAGS, YES, WAIT],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("up", args, session),
});
