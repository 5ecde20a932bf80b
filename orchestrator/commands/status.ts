import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints for each stack whether it is built, its last run and its last known drift; also which run is under way, and what is in doubt",
  words: [STACKS],
  flags: [...QUERY_FLAGS, JSON_OUTPUT],
  run: async (args, session) => (await import("../run/query-stacks")).showStatus(args, session),
});
