import { type ParseArgsConfig, parseArgs } from "node:util";
import { CliError, EXIT_CODE } from "../errors";

export type FlagSpec = NonNullable<ParseArgsConfig["options"]>;

/**
 * Flags that every command takes. Without effect are `--emoji` (there are none), and `--logflow`, `--logtostderr` and
 * `--verbose` (the engine writes no log of its own; `--debug` of an operation shows what program and plugins say).
 */
export const GLOBAL_FLAGS: FlagSpec = {
  stack: { type: "string", short: "s" },
  "non-interactive": { type: "boolean" },
  cwd: { type: "string", short: "C" },
  color: { type: "string" },
  "config-file": { type: "string" },
  emoji: { type: "boolean", short: "e" },
  "fully-qualify-stack-names": { type: "boolean", short: "Q" },
  logflow: { type: "boolean" },
  logtostderr: { type: "boolean" },
  verbose: { type: "string", short: "v" },
  help: { type: "boolean", short: "h" },
};

export class Flags {
  constructor(
    private readonly values: Record<string, string | boolean | (string | boolean)[] | undefined>,
    readonly words: string[],
  ) {}

  has(name: string): boolean {
    return this.values[name] === true;
  }

  /** Whether `--json` or its newer spelling, `--output json`, was given. @throws CliError for another output */
  get json(): boolean {
    const output = this.text("output");
    if (output !== undefined && output !== "json" && output !== "default")
      throw new CliError(`invalid argument "${output}" for "--output" flag: must be one of: default, json`, EXIT_CODE.usage);
    return this.has("json") || output === "json";
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Values of a flag that may be given several times. */
  list(name: string): string[] {
    const value = this.values[name];
    return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
  }

  /** As {@link list}, each of which may be a list with commas. */
  commaList(name: string): string[] {
    return this.list(name).flatMap((item) => item.split(","));
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?\d+$/.test(text)) throw new CliError(`invalid argument "${text}" for "--${name}" flag`, EXIT_CODE.usage);
    return Number(text);
  }
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/** The CLI takes `--flag=true` and `--flag=false` for booleans; parseArgs does not. @returns what is left, and what was set to false */
function normalise(argv: readonly string[], spec: FlagSpec): { args: string[]; off: string[] } {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  const off: string[] = [];
  const plain = flags.flatMap((arg) => {
    const [, name, value = ""] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (name === undefined || spec[name]?.type !== "boolean") return [arg];
    if (TRUE.has(value)) return [`--${name}`];
    if (!FALSE.has(value)) throw new CliError(`invalid argument "${value}" for "--${name}" flag`, EXIT_CODE.usage);
    off.push(name);
    return [];
  });
  return { args: [...plain, ...rest], off };
}

export interface Syntax {
  flags: FlagSpec;
  words: readonly [min: number, max: number];
  usage: string;
}

/**
 * @param known makes the error for a flag that the CLI has and this command does not take; undefined where the CLI has none of that name
 * @throws CliError (exit code 1, as the CLI) for an unknown flag or a wrong number of words
 */
export function parseFlags(argv: readonly string[], { flags, words, usage }: Syntax, known: (flag: string) => CliError | undefined): Flags {
  const options = { ...GLOBAL_FLAGS, ...flags };
  try {
    const { args, off } = normalise(argv, options);
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    if (positionals.length < words[0] || positionals.length > words[1]) throw new CliError(`wrong number of arguments\nusage: pulumi ${usage}`);
    const given = values as Record<string, string | boolean | (string | boolean)[] | undefined>;
    return new Flags({ ...given, ...Object.fromEntries(off.map((name) => [name, false])) }, positionals);
  } catch (thrown) {
    if (thrown instanceof CliError) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const name = /Unknown option '(-[^' ,=]+)/.exec(message)?.[1];
    if (name === undefined) throw new CliError(message, EXIT_CODE.failed, { cause: thrown });
    throw known(name.replace(/^-+/, "")) ?? new CliError(`unknown flag: ${name}`, EXIT_CODE.failed, { cause: thrown });
  }
}
