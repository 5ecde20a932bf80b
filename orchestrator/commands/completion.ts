import { defineCommand } from "../cli/command";
import { COMPLETION_SCRIPTS, SHELLS } from "../cli/complete";
import { EXIT } from "../cli/exit-codes";

export const command = defineCommand({
  group: "more",
  summary: "prints the script by which a shell completes homelab's commands, flags and stacks",
  words: [{ name: "shell", help: "the shell", choices: SHELLS }],
  examples: ["homelab completion bash > ~/.local/share/bash-completion/completions/homelab"],
  run: async (args, session) => {
    const shell = SHELLS.find((name) => name === args.words[0]);
    if (shell !== undefined) session.out(COMPLETION_SCRIPTS[shell]);
    return EXIT.done;
  },
});
