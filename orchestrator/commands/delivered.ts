import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  summary: "waits until the homelab's own pipeline has delivered the last commit of a stage's settings; an application's pipeline runs it before its tests",
  notes:
    "Takes the last commit of Pulumi.<stack>.yaml, and asks GitHub or GitLab for the runs on main that contain it. It succeeds with the first run that has delivered, and fails where all of them failed or the time is over. It needs no secret of the homelab, only a token that may read its runs.",
  words: [{ name: "stack", help: "the stage", names: "stack" }],
  flags: [
    { name: "github", help: "ask GitHub, in the repository HOMELAB_REPOSITORY (default: this run's), with GITHUB_TOKEN" },
    { name: "gitlab", help: "ask GitLab, in the project of this pipeline, with GITLAB_TOKEN" },
    { name: "commit", value: "HASH", help: "wait for this commit of main instead of the last one of the stage's settings" },
    { name: "minutes", value: "N", count: true, help: "how long to wait, approvals included (default 60)" },
  ],
  examples: ["homelab delivered dev --github", "homelab delivered prod --gitlab --minutes 240"],
  run: async (args, session) => (await import("../apps/wait-delivered")).waitDelivered(args, session),
});
