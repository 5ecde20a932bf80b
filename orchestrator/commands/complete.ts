import { allCommands } from "../cli/catalogue";
import { defineCommand } from "../cli/command";
import { complete } from "../cli/complete";
import { EXIT } from "../cli/exit-codes";

export const command = defineCommand({
  group: "more",
  hidden: true,
  summary: "prints what may stand at the end of a command line, one on each line: asked by the shell's script",
  words: [{ name: "word", help: "the words behind homelab, the last one at the cursor, behind --", optional: true, many: true }],
  run: async (args, session) => {
    session.out(
      complete(args.words, allCommands())
        .map((found) => `${found}\n`)
        .join(""),
    );
    return EXIT.done;
  },
});
