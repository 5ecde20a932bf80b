import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "shows which image of each application is to run where, since when, and what waits to go on; with --rollout whether it runs",
  notes:
    "Since when says the commit that wrote the image into the stack's settings. Asks no registry, and a cluster only with --rollout: by the kubeconfig in the stack's state, whether the application's Deployment is of that image and rolled out, whoever delivers it. It exits with 1 where one is not when the time is over.",
  words: [STACKS],
  flags: [
    ...QUERY_FLAGS,
    { name: "newer-than", value: "HOURS", count: true, help: "only images that were written into the settings within so long" },
    { name: "rollout", value: "MINUTES", count: true, help: "ask the clusters, and wait so long until each runs its image" },
    JSON_OUTPUT,
  ],
  examples: ["homelab apps", "homelab apps dev --rollout 10", "homelab apps --newer-than 24 --rollout 30"],
  run: async (args, session) => (await import("../apps/list-apps")).listApps(args, session),
});
