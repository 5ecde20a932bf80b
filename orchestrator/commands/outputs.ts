import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints each stack's outputs",
  words: [STACKS],
  flags: [...QUERY_FLAGS, JSON_OUTPUT, { name: "show-secrets", help: "print secret outputs too; always as JSON" }],
  examples: ["homelab outputs dev --lab"],
  run: async (args, session) => (await import("../run/query-stacks")).showOutputs(args, session),
});
