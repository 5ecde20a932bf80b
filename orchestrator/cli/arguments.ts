import { type ParseArgsConfig, parseArgs } from "node:util";
import { asError, HomelabError } from "../../common/errors";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Values of a command's flags; a flag that was not given is undefined. */
export interface Arguments {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  /** Words that are not flags. */
  words: string[];
}

/** @throws HomelabError E_USAGE for an unknown flag, a missing value, or words where none are taken */
export function parseArguments(argv: readonly string[], options: Options, takesWords: boolean): Arguments {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: takesWords, strict: true });
  } catch (thrown) {
    throw new HomelabError("E_USAGE", asError(thrown).message, { hint: "see `homelab help`" });
  }
  const { values, positionals } = parsed;
  return {
    flag: (name) => values[name] === true,
    text: (name) => {
      const value = values[name];
      return typeof value === "string" ? value : undefined;
    },
    words: positionals,
  };
}

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
