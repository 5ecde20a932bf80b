import { defineCommand } from "../cli/command";
import { STACK } from "../cli/flags";

export const command = defineCommand({
  group: "look",
  summary: "writes the applications of a stack as plain manifests, for Git and Argo CD",
  notes:
    "One folder for each application, which kubectl kustomize and Argo CD read. What was written into the folder before and is not written any more goes; files of others stay, and none is written over. Asks no cluster. With --check it writes nothing, names what differs, and exits with 3 where something does.",
  words: [STACK],
  flags: [
    { name: "out", value: "FOLDER", help: "where they are written (default gitops/<stack>)" },
    { name: "check", help: "say whether the files are current, and write none" },
  ],
  examples: ["homelab render dev", "homelab render prod --check"],
  run: async (args, session) => (await import("../apps/render")).render(args, session),
});
