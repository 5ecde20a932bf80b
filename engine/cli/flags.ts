import { type ParseArgsConfig, parseArgs } from "node:util";
import { CliError, EXIT_CODE, unsupported } from "./cli-error";

export type FlagSpec = NonNullable<ParseArgsConfig["options"]>;

/** Flags that every command takes. */
export const GLOBAL_FLAGS: FlagSpec = {
  stack: { type: "string", short: "s" },
  "non-interactive": { type: "boolean" },
  cwd: { type: "string", short: "C" },
  color: { type: "string" },
  "config-file": { type: "string" },
  "disable-integrity-checking": { type: "boolean" },
  emoji: { type: "boolean", short: "e" },
  logflow: { type: "boolean" },
  logtostderr: { type: "boolean" },
  verbose: { type: "string", short: "v" },
  tracing: { type: "string" },
  "exec-kind": { type: "string" },
  "exec-agent": { type: "string" },
  help: { type: "boolean", short: "h" },
};

/** Flags of the CLI that we know and do not have: named in the refusal. */
const REFUSED = new Set([
  "policy-pack",
  "policy-pack-config",
  "plan",
  "save-plan",
  "import-file",
  "attach-debugger",
  "remote",
  "run-program",
  "remote-git-url",
  "secrets-provider-url",
  "copy-config-from",
  "from",
  "config-path-file",
  "suppress-permalink-url",
  "debug-snapshot",
]);

export class Flags {
  constructor(
    private readonly values: Record<string, string | boolean | (string | boolean)[] | undefined>,
    readonly words: string[],
  ) {}

  has(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Values of a flag that may be given several times, or as one list with commas. */
  list(name: string): string[] {
    const value = this.values[name];
    const items = Array.isArray(value) ? value : value === undefined ? [] : [value];
    return items.filter((item) => typeof item === "string").flatMap((item) => item.split(","));
  }

  /** As {@link list}, commas and all. */
  rawList(name: string): string[] {
    const value = this.values[name];
    return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^-?\d+$/.test(text)) throw new CliError(`invalid argument "${text}" for "--${name}" flag`, EXIT_CODE.usage);
    return Number(text);
  }
}

/** The CLI takes `--flag=true` for booleans; parseArgs does not. */
function normalise(argv: readonly string[], spec: FlagSpec): string[] {
  const end = argv.indexOf("--");
  const flags = end < 0 ? argv : argv.slice(0, end);
  const rest = end < 0 ? [] : argv.slice(end);
  const plain = flags.flatMap((arg) => {
    const match = /^--([^=]+)=(true|false)$/.exec(arg);
    const name = match?.[1];
    if (name === undefined || spec[name]?.type !== "boolean") return [arg];
    return match?.[2] === "true" ? [`--${name}`] : [];
  });
  return [...plain, ...rest];
}

/** @throws CliError (exit code 2) for an unknown flag or a wrong number of words */
export function parseFlags(argv: readonly string[], spec: FlagSpec, words: { min: number; max: number }, usage: string): Flags {
  const options = { ...GLOBAL_FLAGS, ...spec };
  for (const arg of argv) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && options[name] === undefined && REFUSED.has(name)) throw unsupported(`--${name}`);
  }
  try {
    const { values, positionals } = parseArgs({ args: normalise(argv, options), options, allowPositionals: true, strict: true });
    if (positionals.length < words.min || positionals.length > words.max)
      throw new CliError(`wrong number of arguments\nusage: pulumi ${usage}`, EXIT_CODE.usage);
    return new Flags(values as Record<string, string | boolean | (string | boolean)[] | undefined>, positionals);
  } catch (thrown) {
    if (thrown instanceof CliError) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const name = /'(-[^' ,]+)/.exec(message)?.[1];
    throw new CliError(/Unknown option/.test(message) && name !== undefined ? `unknown flag: ${name}` : message, EXIT_CODE.usage, { cause: thrown });
  }
}
