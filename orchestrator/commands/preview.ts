import { defineCommand } from "../cli/command";
import { AFFECTED_FLAGS, RUN_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "run",
  place: 2,
  summary: "shows what up would do, also where nothing is built yet",
  notes: "Outputs of a stack that is not built are planned ones; what is unknown in them is named.",
  examples: ["homelab preview --lab", "homelab preview --expect-no-changes", "homelab preview --plan plan.json"],
  words: [STACKS],
  flags: [
    ...RUN_FLAGS,
    ...AFFECTED_FLAGS,
    { name: "plan", value: "FILE", help: "write what was shown to FILE, for `up --plan`: names and fingerprints, no value" },
    { name: "expect-no-changes", help: "exit with 3 where something would change" },
  ],
  run: async (args, session) => (await import("../run/run-stacks")).runStacks("preview", args, session),
});
