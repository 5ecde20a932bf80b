import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "look",
  summary: "prints a file of Docker Compose with applications and what they depend on, for work on one's own machine",
  notes:
    "Made of the same description as the manifests: images, environment, ports, users and folders that may be written to. Everything listens on 127.0.0.1 alone, and passwords are made up. An application that reads files from secrets/ is left out, or refused where it is named.",
  words: [{ name: "app", help: "the applications; none named: all of the stack", optional: true, many: true }],
  flags: [{ name: "stack", value: "STACK", help: "whose images and settings are taken (default dev)" }],
  examples: ["homelab dev > compose.yaml", "homelab dev writer memorizer | docker compose -f - up"],
  run: async (args, session) => (await import("../apps/compose")).compose(args, session),
});
