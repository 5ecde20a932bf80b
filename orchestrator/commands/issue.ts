import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "prints the drift as an issue, or opens it on GitHub or GitLab, updates it while it is open, and closes it when nothing differs",
  notes: "There is one issue: it is found by a hidden marker and its author. It stays open where a stack or host could not be looked at.",
  flags: [
    { name: "drift", value: "FILE", help: "needed: the file that `homelab drift --report FILE` wrote; it may be missing" },
    { name: "failure", value: "FILE", help: "a file with the last output of `homelab drift`, which the issue shows where that file is missing" },
    { name: "github", help: "open it in the repository of this run of GitHub Actions" },
    { name: "gitlab", help: "open it in the project of this pipeline of GitLab" },
  ],
  run: async (args, session) => (await import("../drift/write-issue")).writeIssue(args, session),
});
