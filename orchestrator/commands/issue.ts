import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "prints what drifted as an issue, or opens it on the host of this run, updates the one that is open, and closes it when nothing differs",
  notes: "One issue, found by a hidden marker and its author. What could not be looked at keeps it open.",
  flags: [
    { name: "drift", value: "FILE", help: "what was found, as `homelab drift --report FILE` wrote it" },
    { name: "failure", value: "FILE", help: "where there is no such file: what the look said before it ended" },
    { name: "github", help: "in the repository of this run of GitHub Actions" },
    { name: "gitlab", help: "in the project of this pipeline of GitLab" },
  ],
  run: async (args, session) => (await import("../drift/write-issue")).writeIssue(args, session),
});
