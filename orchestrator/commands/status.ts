import { defineCommand } from "../cli/command";
import { JSON_OUTPUT, QUERY_FLAGS, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "prints what is built, each stack's last run, what was last seen of its drift, and whether a run is under way or in doubt",
  words: [STACKS],
  flags: [...QUERY_FLAGS, JSON_OUTPUT],
  run: async (args, session) => (await import("../run/query-stacks")).showStatus(args, session),
});
