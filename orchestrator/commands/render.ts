import { defineCommand } from "../cli/command";
import { SOME_STACKS } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "writes the applications of stacks as plain manifests, for Git and Argo CD",
  notes:
    "Each application gets a folder that kubectl kustomize and Argo CD can read. Files that an earlier render wrote and this one does not are removed. Files of others stay: where one is in the way, nothing is written. It asks no cluster. With --check it writes nothing, names the files that differ, and exits with 3 where some do.",
  words: [SOME_STACKS],
  flags: [
    { name: "out", value: "FOLDER", help: "where they are written (default gitops/<stack>); of several stacks, FOLDER/<stack>" },
    { name: "check", help: "compare only, and write nothing" },
  ],
  examples: ["homelab render dev", "homelab render dev stg prod", "homelab render prod --check"],
  run: async (args, session) => (await import("../apps/render")).render(args, session),
});
