import { defineCommand } from "../cli/command";
import { LOCKED_STACKS, QUERY_FLAGS, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  summary: "says which run holds each stack's lock, and clears the lock",
  notes:
    "It is for the lock of a run on another machine that is gone. It cannot see whether that run is gone: if it still runs, both write the same state. The lock of a dead process of this machine needs no command, since the next run takes it over; that of one that runs on this machine is not cleared. Asks for a yes first, except in the lab; without a terminal it needs --yes, or it refuses.",
  words: [LOCKED_STACKS],
  flags: [...QUERY_FLAGS, YES],
  examples: ["homelab unlock dev"],
  run: async (args, session) => (await import("../run/unlock-stacks")).unlockStacks(args, session),
});
