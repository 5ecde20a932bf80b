/** Parses a command line, by the description of its command. */
import { Command, CommanderError, Option } from "commander";
import { HomelabError } from "../../common/errors";
import { nearest } from "../../common/nearest";
import { type Arguments, type Flag, type Leaf, leafOf, type NamedCommand, wordText } from "./command";

export type { Arguments } from "./command";

export const usageError = (message: string, hint: string): HomelabError => new HomelabError("E_USAGE", message, { hint });

/** The same command line for these stacks, and no other. */
export const forOnly = (args: Arguments, stacks: readonly string[]): Arguments => ({
  ...args,
  flag: (name) => name === "only" || args.flag(name),
  words: [...stacks],
});

/** A flag's value as one of a closed set. */
export function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], fallback: T, flag: string): T {
  if (value === undefined) return fallback;
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new HomelabError("E_USAGE", `${flag} takes ${allowed.join(", ")}, not ${value}`);
  return found;
}

/** A flag's value as a whole number of at least 1. */
export function positive(value: string | undefined, fallback: number, flag: string): number {
  if (value === undefined) return fallback;
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new HomelabError("E_USAGE", `${flag} takes a whole number of at least 1, not ${value}`);
  return Number(value);
}

/** Refuses a value that the flag does not take. */
function checked(flag: Flag, value: string): string {
  // Otherwise an empty name of a file would be the current folder, and an empty list nothing.
  if (value === "")
    throw usageError(`--${flag.name} takes ${flag.value ?? "a value"}, and got an empty text`, "a variable of the shell that is not set gives an empty text");
  if (flag.choices !== undefined) oneOf(value, flag.choices, value, `--${flag.name}`);
  if (flag.count === true) positive(value, 1, `--${flag.name}`);
  return value;
}

/** A flag as the parser and the help take it. */
export function optionOf(flag: Flag): Option {
  return new Option(flag.value === undefined ? `--${flag.name}` : `--${flag.name} <${flag.value}>`, flag.help);
}

/** `error: unknown option '--lbb'\n(Did you mean --lab?)` in its parts. */
function asUsageError(thrown: CommanderError, help: string): HomelabError {
  const [, message = thrown.message, meant] = /^(?:error: )?([^\n]*)(?:\n\(Did you mean (.*)\?\))?/s.exec(thrown.message) ?? [];
  return usageError(message, meant === undefined ? `see \`${help}\`` : `did you mean ${meant}? See \`${help}\``);
}

/**
 * @param help the command that prints what is allowed, for the error
 * @throws HomelabError E_USAGE for an unknown flag, a value that is missing, or one that the flag does not take
 */
export function parseArguments(argv: readonly string[], flags: readonly Flag[], help = "homelab help"): Arguments {
  const parser = new Command().exitOverride().helpOption(false).allowExcessArguments(true);
  parser.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  const options = new Map(flags.map((flag) => [flag.name, optionOf(flag).argParser((value: string) => checked(flag, value))]));
  for (const option of options.values()) parser.addOption(option);
  try {
    parser.parse([...argv], { from: "user" });
  } catch (thrown) {
    if (thrown instanceof CommanderError) throw asUsageError(thrown, help);
    throw thrown;
  }
  const value = (name: string): unknown => {
    const option = options.get(name);
    return option === undefined ? undefined : parser.getOptionValue(option.attributeName());
  };
  return {
    flag: (name) => value(name) === true,
    text: (name) => {
      const found = value(name);
      return typeof found === "string" ? found : undefined;
    },
    words: [...parser.args],
    typed: [...argv],
  };
}

/** Refuses fewer or more words than the command takes, without repeating them: one may be a secret. */
function checkWords({ path, words }: Leaf, given: readonly string[]): void {
  const least = words.filter(({ optional }) => optional !== true).length;
  const most = words.some(({ many }) => many === true) ? Number.POSITIVE_INFINITY : words.length;
  if (given.length < least || given.length > most) {
    const takes = words.map(wordText).join(" ") || "no words";
    throw usageError(`${path} takes ${takes}`, `see \`homelab help ${path}\``);
  }
  for (const [i, { name, choices }] of words.entries()) {
    const value = given[i];
    if (choices !== undefined && value !== undefined && !choices.includes(value))
      throw usageError(`${path} takes ${choices.join(", ")} as <${name}>, not ${value}`, `see \`homelab help ${path}\``);
  }
}

const listed = (names: readonly string[]): string => names.join(", ").replace(/, ([^,]*)$/, " or $1");

/** Checks that a word is one of the command's verbs. @throws HomelabError E_USAGE where it is not */
export function verbOf(command: NamedCommand, word: string | undefined): string {
  const verbs = Object.keys(command.verbs ?? {});
  if (word !== undefined && verbs.includes(word)) return word;
  const meant = word === undefined ? undefined : nearest(word, verbs);
  throw usageError(
    `${command.name} takes ${listed(verbs)}, not ${word ?? "nothing"}`,
    `${meant === undefined ? "" : `did you mean ${meant}? See `}${meant === undefined ? "see " : ""}\`homelab help ${command.name}\``,
  );
}

export interface CommandLine {
  args: Arguments;
  verb: string;
}

/**
 * @param argv what follows the command's name
 * @throws HomelabError E_USAGE for all that the command does not take
 */
export function parseCommandLine(command: NamedCommand, argv: readonly string[]): CommandLine {
  const { verbs } = command;
  if (verbs === undefined) {
    const leaf = leafOf(command, "");
    const args = parseArguments(argv, leaf.flags, `homelab help ${leaf.path}`);
    checkWords(leaf, args.words);
    return { args, verb: "" };
  }
  // Flags may come before the verb, so the line is first parsed with the flags of all verbs.
  const all = new Map(Object.keys(verbs).flatMap((verb) => leafOf(command, verb).flags.map((flag): [string, Flag] => [flag.name, flag])));
  const { words } = parseArguments(argv, [...all.values()], `homelab help ${command.name}`);
  const verb = verbOf(command, words[0]);
  const leaf = leafOf(command, verb);
  const args = parseArguments(argv, leaf.flags, `homelab help ${leaf.path}`);
  const rest = { ...args, words: args.words.slice(1) };
  checkWords(leaf, rest.words);
  return { args: rest, verb };
}
