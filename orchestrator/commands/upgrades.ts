import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, STACK_OR_ALL } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "lists charts and images that have newer versions",
  words: [STACK_OR_ALL],
  flags: [JSON_OUTPUT],
  notes:
    "Asks the repositories and registries that the pins name. Where a module goes through versions one at a time (Longhorn, Immich), the next one is named. Exit code 3 where there is something newer; else 1 where something could not be asked.",
  examples: ["homelab upgrades", "homelab upgrades sandboxy --json"],
  run: async (args, session) => (await import("../charts/list-upgrades")).listUpgrades(args, session),
});
