import { defineCommand } from "../cli/command";
import { AFFECTED_FLAGS, RUN_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 2,
  summary: "shows what up would change, also for stacks that are not built yet",
  notes: "For a stack that is not built, its planned outputs take the place of its outputs; the unknown ones that a stack used are named.",
  examples: ["homelab preview --lab", "homelab preview --expect-no-changes", "homelab preview --plan plan.json"],
  words: [STACKS],
  flags: [
    ...RUN_FLAGS,
    ...AFFECTED_FLAGS,
    { name: "plan", value: "FILE", help: "write the plan to FILE, for `up --plan`: names and fingerprints, no values" },
    { name: "expect-no-changes", help: "exit with 3 where something would change" },
  ],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("preview", args, session),
});
