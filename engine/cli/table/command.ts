/** What a command is, and how its code is loaded: only when it is run. */
import type { FlagSpec, Flags } from "../flags";

export interface Command {
  flags: FlagSpec;
  /** How many words it takes. */
  words: [min: number, max: number];
  usage: string;
  summary: string;
  run(flags: Flags): number | Promise<number>;
}

export type CommandTable = Record<string, Command>;

type Run = (flags: Flags) => number | Promise<number>;

/** Runs one function of a module that is loaded then. */
export function lazily<M extends Record<N, Run>, N extends string>(load: () => Promise<M>, name: N): Run {
  return async (flags) => (await load())[name](flags);
}

export const bool = { type: "boolean" } as const;
export const text = { type: "string" } as const;
export const many = { type: "string", multiple: true } as const;
export const yes = { yes: { ...bool, short: "y" } } as const;
/** The older spelling and the newer one. */
export const json = { json: { ...bool, short: "j" }, output: text } as const;
export const ANY_NUMBER = Number.MAX_SAFE_INTEGER;
