import { defineCommand } from "../cli/command";
import { LOCKED_STACKS, QUERY_FLAGS, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  summary: "clears the lock of stacks whose run is gone",
  notes:
    "The lock of a process of this machine that is dead is taken over by the next run; this is for the lock of another machine. Asks first, but not in the lab; without a terminal and without --yes it refuses.",
  words: [LOCKED_STACKS],
  flags: [...QUERY_FLAGS, YES],
  examples: ["homelab unlock dev"],
  run: async (args, session) => (await import("../run/unlock-stacks")).unlockStacks(args, session),
});
