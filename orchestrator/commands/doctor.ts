import { defineCommand } from "../cli/command";
import { ENGINE, JSON_OUTPUT, LAB } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "says which engine, providers and tools a run would use, and why, and what would make it fail; exits with 1 where something would",
  notes:
    "Looks at the program, secrets and key, state backend, the homelab's own authority, disk and earlier runs; each line that is not well says what to do. It asks nothing outside of this machine.",
  flags: [LAB, ENGINE, JSON_OUTPUT],
  run: async (args, session) => (await import("../run/doctor")).doctor(args, session),
});
