import { defineCommand } from "../cli/command";
import { ENGINE, JSON_OUTPUT, LAB } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "says which engine, providers and tools a run would use, and why",
  flags: [LAB, ENGINE, JSON_OUTPUT],
  run: async (args, session) => (await import("../target/doctor")).doctor(args, session),
});
