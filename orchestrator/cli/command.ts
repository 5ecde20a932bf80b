/** The description of a command. Parser, help, completion and docs/cli.md are all made from it (CONTRIBUTING.md says how one is added). */
import type { Session } from "./session";

/** Values of a command's flags; a flag that was not given is undefined. */
export interface Arguments {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** Words that are not flags. */
  words: string[];
  /** Everything that was typed after the command's name, as it was typed. */
  typed: readonly string[];
}

export interface Flag {
  /** Without the dashes. */
  name: string;
  /** One line. */
  help: string;
  /** The name of its value in the help, such as `FILE`. A flag without one takes no value. */
  value?: string;
  /** The only values that it takes. */
  choices?: readonly string[];
  /** Its value is a whole number of at least 1. */
  count?: boolean;
}

export interface Word {
  name: string;
  /** One line. */
  help: string;
  optional?: boolean;
  /** It may be given several times. Only the last word of a command may have this. */
  many?: boolean;
  /** What completion offers for it. */
  names?: "stack" | "command";
  /** The only values that it takes. */
  choices?: readonly string[];
}

/** How a command, or one of its verbs, is called. */
export interface Usage {
  /** One line, in the third person: `prints …`. */
  summary: string;
  words?: readonly Word[];
  flags?: readonly Flag[];
  /** More than the summary can say: whole sentences. */
  notes?: string;
  /** Whole command lines. */
  examples?: readonly string[];
}

/** Where the command stands in the overview, in this order. */
export const GROUPS = ["run", "look", "mend", "hosts", "secrets", "lab", "more"] as const;

export const GROUP_TITLES: Readonly<Record<(typeof GROUPS)[number], string>> = {
  run: "Runs over the stacks",
  look: "What there is",
  mend: "After a run that was cut",
  hosts: "Hosts",
  secrets: "Secrets",
  lab: "The lab",
  more: "More",
};

export interface CommandSpec extends Usage {
  group: (typeof GROUPS)[number];
  /** Its place in the group. Commands without one follow those that have one, in alphabetical order. */
  place?: number;
  /** For programs: neither in the overview nor in the reference. */
  hidden?: boolean;
  /** `homelab <command> <verb>`: one must be given. Each has words and flags of its own, besides the command's flags. */
  verbs?: Readonly<Record<string, Usage>>;
  /**
   * Runs it. Loads its implementation when it is called, so that the help of all commands loads none of them.
   * @param verb empty for a command without verbs
   * @returns the exit code
   */
  run(args: Arguments, session: Session, verb: string): Promise<number>;
}

/** A command with its name: that of its file in `orchestrator/commands/`. */
export interface NamedCommand extends CommandSpec {
  name: string;
}

/** What each command's file exports: `export const command = defineCommand({ … })`. */
export const defineCommand = (spec: CommandSpec): CommandSpec => spec;

/** A command or one of its verbs, with all that its command line takes. */
export interface Leaf extends Usage {
  /** Without `homelab`: `secrets set`. */
  path: string;
  words: readonly Word[];
  flags: readonly Flag[];
}

/** @param verb empty for the command itself */
export function leafOf(command: NamedCommand, verb: string): Leaf {
  const usage: Usage = command.verbs?.[verb] ?? command;
  const own = usage === command ? [] : (usage.flags ?? []);
  return { ...usage, path: verb === "" ? command.name : `${command.name} ${verb}`, words: usage.words ?? [], flags: [...own, ...(command.flags ?? [])] };
}

/** A word as it appears in a usage line: `<entry>`, `[stack…]`. */
export function wordText({ name, optional, many }: Word): string {
  const text = `${name}${many === true ? "…" : ""}`;
  return optional === true ? `[${text}]` : many === true ? `<${name}>…` : `<${text}>`;
}
