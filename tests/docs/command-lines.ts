/** Compares the command lines of `homelab` in a text with the definitions of the commands. */
import { leafOf, type NamedCommand } from "../../orchestrator/cli/command";

/** The command lines of a text, without the program's name: `homelab up dev --lab && …` → `up dev --lab`. */
function linesOf(text: string): string[] {
  return [...text.matchAll(/(?:^|[\s"'(!])(?:npx (?:--no-install )?)?homelab (?=[a-z])([^|;&>#)`]*)/g)].map(([, line = ""]) => line.trim());
}

/** @returns a line for each command, verb or flag in the text that does not exist */
export function unknownParts(text: string, commands: readonly NamedCommand[]): string[] {
  return linesOf(text).flatMap((line) => {
    const words = line.split(/[\s,]+/).filter(Boolean);
    const name = words[0]?.replace(/\W+$/, "") ?? "";
    const command = commands.find((each) => each.name === name);
    if (command === undefined) return [`homelab ${line}`];
    const verb = command.verbs === undefined ? "" : (words[1] ?? "").replace(/[^a-z-].*$/, "");
    if (command.verbs !== undefined && verb !== "" && !(verb in command.verbs) && !words[1]?.startsWith("-")) return [`homelab ${line}`];
    const leaf = leafOf(command, command.verbs !== undefined && verb in command.verbs ? verb : "");
    const flags = new Set(leaf.flags.map((flag) => `--${flag.name}`));
    const before = line.split(/ -- /)[0] ?? "";
    return (before.match(/--[a-z][a-z-]*/g) ?? []).filter((flag) => !flags.has(flag) && flag !== "--help").map((flag) => `homelab ${line}: ${flag}`);
  });
}
