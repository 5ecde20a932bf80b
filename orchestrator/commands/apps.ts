import { defineCommand } from "../cli/command";
import { JSON_OUTPUT } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "shows which image of each application runs where, since when, and what waits to go on",
  notes: "Since when says the commit that wrote the image into the stack's settings. Asks no cluster and no registry.",
  words: [],
  flags: [JSON_OUTPUT],
  examples: ["homelab apps"],
  run: async (args, session) => (await import("../apps/list-apps")).listApps(args, session),
});
