import { defineCommand } from "../cli/command";
import { ENGINE, LAB } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "writes an HTML page with a map of hosts, VMs, clusters and modules, from the reports of the last runs; runs no stack",
  flags: [LAB, ENGINE, { name: "to", value: "FILE", help: "the file (default: map.html in .homelab, in the lab .lab)" }],
  examples: ["homelab map --lab --to /tmp/map.html"],
  run: async (args, session) => (await import("../run/map-page")).writeMap(args, session),
});
