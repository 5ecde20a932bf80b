import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "prints a preview's report, after a check against its schema, as a pull request's comment, or posts it there",
  flags: [
    { name: "report", value: "FILE", help: "the report, as `homelab preview --report FILE` wrote it" },
    { name: "failure", value: "FILE", help: "where there is no report: what the preview said before it ended" },
    { name: "github", help: "posts it on the pull request of this run of GitHub Actions, or updates the one that is there" },
    { name: "gitlab", help: "the same for the merge request of this pipeline of GitLab" },
  ],
  run: async (args, session) => (await import("../pull-request/write-comment")).writeComment(args, session),
});
