import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "look",
  summary: "prints a Docker Compose file with applications and their dependencies, for work on your own machine",
  notes:
    "It is made from the same description as the manifests: images, environment, ports, users and writable folders. Everything listens on 127.0.0.1 only, and the passwords are made up. An application that reads files from secrets/ is left out, or refused where it is named.",
  words: [{ name: "app", help: "the applications; none named: all of the stack", optional: true, many: true }],
  flags: [
    {
      name: "stack",
      value: "STACK",
      help: "the stack whose images and settings are taken (default: of those with the named applications, the one with the most)",
    },
  ],
  examples: ["homelab dev > compose.yaml", "homelab dev writer memorizer | docker compose -f - up"],
  run: async (args, session) => (await import("../apps/compose")).compose(args, session),
});
