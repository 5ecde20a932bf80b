import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "waits until the homelab's own pipeline has delivered what is pushed of a stage, as a job of an application's pipeline does before its tests",
  notes:
    "Takes the last commit of Pulumi.<stack>.yaml, and asks the host for the runs on main that have it: it ends well with the first one that has delivered, and fails where all of them failed. Needs no secret of the homelab, only a token that may read its runs.",
  words: [{ name: "stack", help: "the stage", names: "stack" }],
  flags: [
    { name: "github", help: "ask GitHub, in the repository HOMELAB_REPOSITORY (default: this run's), with GITHUB_TOKEN" },
    { name: "gitlab", help: "ask GitLab, in the project of this pipeline, with GITLAB_TOKEN" },
    { name: "commit", value: "HASH", help: "another commit of main than the last one of the stage's settings" },
    { name: "minutes", value: "N", count: true, help: "how long, approvals included (default 60)" },
  ],
  examples: ["homelab delivered dev --github", "homelab delivered prod --gitlab --minutes 240"],
  run: async (args, session) => (await import("../apps/wait-delivered")).waitDelivered(args, session),
});
