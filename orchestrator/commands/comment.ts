import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "checks a preview's report against its schema, and prints it as a pull request's comment, or posts it there",
  flags: [
    { name: "report", value: "FILE", help: "needed: the report that `homelab preview --report FILE` wrote; the file may be missing" },
    { name: "failure", value: "FILE", help: "a file with the preview's last output, which the comment shows where the report is missing" },
    { name: "github", help: "post it on the pull request of this run of GitHub Actions, or update the comment that is there" },
    { name: "gitlab", help: "the same for the merge request of this pipeline of GitLab" },
  ],
  run: async (args, session) => (await import("../pull-request/write-comment")).writeComment(args, session),
});
