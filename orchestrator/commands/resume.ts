import { defineCommand } from "../cli/command";
import { APPROVE, RUN_FLAGS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  place: 1,
  summary: "continues the last run that was cut off by a crash, a kill or a power cut",
  notes:
    "A stack that the run had started and not finished is refreshed before it is changed, and its pending creations are looked for. A stack that it had finished is not run again. It asks as up and destroy do.",
  flags: [...RUN_FLAGS.filter(({ name }) => name !== "only"), YES, APPROVE, WAIT],
  examples: ["homelab resume --lab"],
  run: async (args, session) => (await import("../run/resume-run")).resumeRun(args, session),
});
