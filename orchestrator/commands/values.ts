import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, STACK } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints what Helm would get for a module of a stack",
  notes:
    "For each chart of the module a document: where the chart comes from, the release, and its values. What is known only while the stack is built, secrets among it, stands in angle brackets. Asks no cluster.",
  words: [STACK, { name: "module", help: "the module, as site/stacks.ts names it" }],
  flags: [JSON_OUTPUT],
  examples: ["homelab values dev cert-manager"],
  run: async (args, session) => (await import("../target/show-values")).showValues(args, session),
});
