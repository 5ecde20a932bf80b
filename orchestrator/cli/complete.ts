/** Completion for every shell: what may come next on a command line. The shells' scripts only ask for it. */
import * as fs from "node:fs";
import { projectRoot } from "../../common/paths";
import { type Leaf, leafOf, type NamedCommand, type Word } from "./command";

/** The stacks that have a settings file: reading the program would take longer than a person waits for a completion. */
const stackNames = (): string[] => fs.readdirSync(projectRoot()).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

function valuesOf(word: Word | undefined, commands: readonly NamedCommand[]): readonly string[] {
  if (word === undefined) return [];
  if (word.choices !== undefined) return word.choices;
  if (word.names === "stack") return stackNames();
  return word.names === "command" ? namesOf(commands) : [];
}

const namesOf = (commands: readonly NamedCommand[]): string[] => commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name);

/** Words among the ones that are typed already, without flags and their values. */
function wordsIn(leaf: Leaf, typed: readonly string[]): string[] {
  const takesValue = new Set(leaf.flags.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`));
  return typed.filter((word, i) => !word.startsWith("-") && !takesValue.has(typed[i - 1] ?? ""));
}

/** Every flag of a command, whichever of its verbs takes it. */
function anyLeaf(command: NamedCommand): Leaf {
  const flags = Object.keys(command.verbs ?? {}).flatMap((verb) => leafOf(command, verb).flags);
  const leaf = leafOf(command, "");
  return { ...leaf, flags: [...new Map([...leaf.flags, ...flags].map((flag) => [flag.name, flag])).values()] };
}

/**
 * @param line words after `homelab`; the last one is the one at the cursor, which may be empty
 * @returns what the last word may be
 */
export function complete(line: readonly string[], commands: readonly NamedCommand[]): string[] {
  const [name = "", ...rest] = line;
  const fits = (names: readonly string[], prefix: string): string[] => names.filter((candidate) => candidate.startsWith(prefix));
  if (line.length <= 1) return fits([...namesOf(commands), "--help", "--version"], name);
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined || rest.includes("--", 0)) return [];
  const [typed, prefix] = [rest.slice(0, -1), rest.at(-1) ?? ""];
  const [verb = ""] = wordsIn(anyLeaf(command), typed);
  const needsVerb = command.verbs !== undefined && !Object.hasOwn(command.verbs, verb);
  const leaf = command.verbs === undefined ? leafOf(command, "") : needsVerb ? anyLeaf(command) : leafOf(command, verb);
  const before = leaf.flags.find((flag) => typed.at(-1) === `--${flag.name}` && flag.value !== undefined);
  if (before !== undefined) return fits(before.choices ?? [], prefix);
  if (prefix.startsWith("-")) return fits([...leaf.flags.map((flag) => `--${flag.name}`), "--help"], prefix);
  if (needsVerb) return fits(Object.keys(command.verbs ?? {}), prefix);
  const given = wordsIn(leaf, typed).length - (command.verbs === undefined ? 0 : 1);
  const last = leaf.words.at(-1);
  const word = leaf.words[given] ?? (last?.many === true ? last : undefined);
  return fits(valuesOf(word, commands), prefix).filter((candidate) => !typed.includes(candidate));
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** What the shell loads. It asks `homelab complete`, so that it knows a later version's commands too. */
export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# homelab completion bash > ~/.local/share/bash-completion/completions/homelab
_homelab() {
  local IFS=$'\\n'
  COMPREPLY=($(homelab complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _homelab homelab
`,
  zsh: `#compdef homelab
# homelab completion zsh > a folder of $fpath, as _homelab
_homelab() {
  local -a found
  found=(\${(f)"$(homelab complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
# From a folder of $fpath, zsh runs this file as the function, at the first completion.
if [[ $funcstack[1] == _homelab ]]; then _homelab "$@"; else compdef _homelab homelab; fi
`,
  fish: `# homelab completion fish > ~/.config/fish/completions/homelab.fish
complete -c homelab -f -a '(homelab complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};
