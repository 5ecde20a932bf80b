import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary:
    "shows for each stack which image of each application its settings name, since when, and which images wait to be promoted; with --rollout whether they run",
  notes:
    "The time is that of the commit that wrote the image into the stack's settings. It asks no registry. With --rollout it asks the clusters, by the kubeconfig in the stack's state, whether each application's Deployment has that image and is rolled out, whether `homelab up` or Argo CD delivers it. It exits with 1 where one is not rolled out when the time is over.",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "newer-than", value: "HOURS", count: true, help: "only images that were written into the settings within this time, or that no commit has yet" },
    { name: "rollout", value: "MINUTES", count: true, help: "ask the clusters, and wait at most this long until each runs its image" },
    JSON_OUTPUT,
  ],
  examples: ["homelab apps", "homelab apps dev --rollout 10", "homelab apps --newer-than 24 --rollout 30"],
  run: async (args, session) => (await import("../apps/list-apps")).listApps(args, session),
});
