import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, STACK_OR_ALL } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "compares the stacks' charts with what is published",
  verbs: {
    verify: {
      summary: "pulls each chart, renders it with its values for the cluster's version, and lists its images with their digests",
      words: [STACK_OR_ALL],
      flags: [JSON_OUTPUT, { name: "values-only", help: "look at values alone, without helm" }],
    },
  },
  notes:
    "Reports values that a chart does not know, default credentials of a chart, and images whose tag is not fixed. Needs helm 3 and the charts' repositories. Exit code 3 where something was found, 1 where a chart or an image could not be looked at.",
  examples: ["homelab charts verify tools", "homelab charts verify --values-only --json"],
  run: async (args, session) => (await import("../charts/manage-charts")).manageCharts(args, session),
});
