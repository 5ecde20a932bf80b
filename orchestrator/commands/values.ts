import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, STACK } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints the values that Helm would get for a module of a stack",
  notes:
    "It prints a document for each chart of the module: where the chart comes from, the release, and its values. Unknown values and secrets stand in angle brackets. It asks no cluster.",
  words: [STACK, { name: "module", help: "the module, as site/stacks.ts names it" }],
  flags: [JSON_OUTPUT],
  examples: ["homelab values dev cert-manager"],
  run: async (args, session) => (await import("../target/show-values")).showValues(args, session),
});
