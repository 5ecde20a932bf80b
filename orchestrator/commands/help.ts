import { verbOf } from "../cli/arguments";
import { allCommands, findCommand } from "../cli/catalogue";
import { defineCommand } from "../cli/command";
import { EXIT } from "../cli/exit-codes";
import { helpText, overview } from "../cli/help";
import { referencePage } from "../cli/reference";

export const command = defineCommand({
  group: "more",
  summary: "prints the commands, or how one is called",
  words: [
    { name: "command", help: "a command", optional: true, names: "command" },
    { name: "verb", help: "one of its verbs", optional: true },
  ],
  flags: [{ name: "markdown", help: "print the reference page docs/cli.md" }],
  run: async (args, session) => {
    const [name, verb] = args.words;
    if (args.flag("markdown")) session.out(referencePage(allCommands()));
    else if (name === undefined) session.out(overview(allCommands(), session.terminal.columns()));
    else {
      const found = findCommand(name);
      session.out(helpText(found, verb === undefined ? "" : verbOf(found, verb), session.terminal.columns()));
    }
    return EXIT.done;
  },
});
