import { defineCommand } from "../cli/command";
import { ENGINE, LAB, STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "mend",
  summary: "moves stacks to another state backend, verifies them there, and can go back",
  flags: [LAB, ENGINE],
  verbs: {
    migrate: {
      summary: "copies the stacks' states from one backend to another",
      words: [STACKS],
      flags: [
        { name: "from", value: "URL", help: "where they are (default: PULUMI_BACKEND_URL)" },
        { name: "to", value: "URL", help: "where they go: file://<folder> or s3://<bucket>/<prefix>?endpoint=…" },
        { name: "back", help: "undo the last migration" },
      ],
      examples: ["homelab state migrate --from file:///srv/state --to 's3://state?endpoint=minio.example.org'", "homelab state migrate --back"],
    },
  },
  run: async (args, session) => (await import("../state/migrate-state")).migrateState(args, session),
});
