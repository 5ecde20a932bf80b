import { defineCommand } from "../cli/command";
import { RUN_FLAGS, STACKS, WAIT } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 3,
  summary: "reads the stacks' resources, and brings the states up to date; changes no resource",
  words: [STACKS],
  flags: [...RUN_FLAGS, WAIT],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("refresh", args, session),
});
