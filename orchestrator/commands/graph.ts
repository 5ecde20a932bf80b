import { defineCommand } from "../cli/command";
import { GRAPH_FORMATS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints the graph of the stacks",
  flags: [{ name: "format", value: "NAME", choices: GRAPH_FORMATS, help: "the form of the graph (default mermaid)" }],
  examples: ["homelab graph --format dot | dot -Tsvg > stacks.svg"],
  run: async (args, session) => (await import("../target/show-graph")).showGraph(args, session),
});
