import { defineCommand } from "../cli/command";
import { APPROVE, RUN_FLAGS, WAIT, YES } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  place: 1,
  summary: "goes on with the last run that was cut, by a crash, a kill or a power cut",
  notes:
    "Stacks that the run had started and not finished are read again from the real world before they are changed, and what it had begun to create is looked for. Stacks that it had finished are not run again. Asks as up and destroy do.",
  flags: [...RUN_FLAGS.filter(({ name }) => name !== "only"), YES, APPROVE, WAIT],
  examples: ["homelab resume --lab"],
  run: async (args, session) => (await import("../run/resume-run")).resumeRun(args, session),
});
