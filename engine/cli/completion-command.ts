/** `gen-completion`: a script for a shell that completes the commands and flags of this engine. */
import { CliError, EXIT_CODE } from "../errors";
import { type Flags, GLOBAL_FLAGS } from "./flags";
import type { CommandTable } from "./table/command";

/** For each command, and each group of them: what may come next. */
function completions(commands: CommandTable): Map<string, { words: string[]; flags: string[] }> {
  const found = new Map<string, { words: string[]; flags: string[] }>();
  const at = (name: string) => {
    const entry = found.get(name) ?? { words: [], flags: Object.keys(GLOBAL_FLAGS) };
    found.set(name, entry);
    return entry;
  };
  for (const [name, { flags }] of Object.entries({ ...commands, help: { flags: {} } })) {
    at(name).flags.push(...Object.keys(flags));
    const words = name.split(" ");
    for (const [i, word] of words.entries()) {
      const { words: next } = at(words.slice(0, i).join(" "));
      if (!next.includes(word)) next.push(word);
    }
  }
  return found;
}

/** The longest command that the words before the cursor begin with decides; flags among them are passed over. */
function bash(table: CommandTable): string {
  const cases = [...completions(table)].map(
    ([name, { words, flags }]) => `    "${name}") words="${words.join(" ")}"; flags="${flags.map((flag) => `--${flag}`).join(" ")}" ;;`,
  );
  return `# bash completion for pulumi (embedded engine of homelab): source <(pulumi gen-completion bash)
_pulumi_at() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_pulumi() {
  local words flags path="" word current="\${COMP_WORDS[COMP_CWORD]}" i
  _pulumi_at ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && continue
    if _pulumi_at "\${path:+$path }$word"; then path="\${path:+$path }$word"; else _pulumi_at "$path"; fi
  done
  if [[ "$current" == -* ]]; then words="$flags"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _pulumi pulumi
`;
}

const zsh = (table: CommandTable): string => `#compdef pulumi\nautoload -U +X bashcompinit && bashcompinit\n${bash(table)}`;

function fish(table: CommandTable): string {
  const lines = [...completions(table)].flatMap(([name, { words, flags }]) => {
    const depth = name === "" ? 0 : name.split(" ").length;
    const here = `__pulumi_at ${depth} ${name}`.trim();
    return [
      ...(words.length > 0 ? [`complete -c pulumi -f -n "${here}" -a "${words.join(" ")}"`] : []),
      ...flags.map((flag) => `complete -c pulumi -n "${here}" -l ${flag}`),
    ];
  });
  return `# fish completion for pulumi (embedded engine of homelab): pulumi gen-completion fish | source
function __pulumi_at
  set -l depth $argv[1]
  set -l words (commandline -opc | string match -v -- '-*')
  set -e words[1]
  test (count $words) -ge $depth; or return 1
  test $depth -eq 0; and test (count $words) -gt 0; and return 1
  test $depth -eq 0; or test "$words[1..$depth]" = "$argv[2..-1]"
end
${lines.join("\n")}
`;
}

const SHELLS: Readonly<Record<string, (table: CommandTable) => string>> = { bash, zsh, fish };

export function genCompletion(flags: Flags, table: CommandTable): number {
  const [shell = ""] = flags.words;
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined) throw new CliError(`unsupported shell "${shell}": must be one of ${Object.keys(SHELLS).join(", ")}`);
  process.stdout.write(script(table));
  return EXIT_CODE.ok;
}
