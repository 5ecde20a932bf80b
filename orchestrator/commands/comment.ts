import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "prints a preview's report as the text of a pull request's comment, after a check against its schema",
  flags: [
    { name: "report", value: "FILE", help: "the report, as `homelab preview --report FILE` wrote it" },
    { name: "failure", value: "FILE", help: "where there is no report: what the preview said before it ended" },
  ],
  run: async (args, session) => (await import("../report/write-comment")).writeComment(args, session),
});
