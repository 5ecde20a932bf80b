import type { ExecResult, ResolvedCommandContext } from "just-bash";
import type { Identity } from "./filesystem";
import type { Machine } from "./machine";

/** One run of a command of the lab's own. */
export interface Invocation {
  args: string[];
  machine: Machine;
  who: Identity;
  shell: ResolvedCommandContext;
  /** Runs a command line as another user, in a shell of its own. */
  runAs(user: Identity, commandLine: string, options: { env: Record<string, string>; cwd: string; stdin: string }): Promise<ExecResult>;
}

export type HostCommand = (run: Invocation) => Promise<ExecResult>;

export const ok = (stdout = ""): ExecResult => ({ stdout, stderr: "", exitCode: 0 });
export const fail = (stderr: string, exitCode = 1): ExecResult => ({ stdout: "", stderr: stderr.endsWith("\n") ? stderr : `${stderr}\n`, exitCode });

/** A flag or subcommand that the lab does not know: an error as a program gives it, and an entry in the log of unhandled calls. */
export function unmodelled(run: Invocation, command: string, what: string): ExecResult {
  run.machine.ctx.unhandled.add({ system: "ssh", target: run.machine.spec.hostname, what: `${command}: ${what} is not modelled` });
  return fail(`${command}: ${what}: not modelled by the lab`, 2);
}

/** A command that the lab models without any argument. */
export const withoutArguments =
  (name: string, answer: HostCommand): HostCommand =>
  async (run) =>
    run.args.length > 0 ? unmodelled(run, name, run.args.join(" ")) : answer(run);

export function absolute(run: Invocation, name: string): string {
  return run.shell.fs.resolvePath(run.shell.cwd, name);
}

export interface ParsedFlags {
  flags: Map<string, string[]>;
  rest: string[];
  unknown: string | undefined;
}

/**
 * GNU-like options: `-abc`, `-o value`, `-ovalue`, `--name`, `--name=value`, `--`.
 * @param takesValue names (without dashes) of the options with a value
 * @param bare names of those without one
 */
export function parseFlags(args: readonly string[], takesValue: readonly string[], bare: readonly string[]): ParsedFlags {
  const result: ParsedFlags = { flags: new Map(), rest: [], unknown: undefined };
  const add = (name: string, value: string) => result.flags.set(name, [...(result.flags.get(name) ?? []), value]);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      result.rest.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith("--")) {
      const [name = "", inline] = splitOnce(arg.slice(2), "=");
      if (takesValue.includes(name)) add(name, inline ?? args[++i] ?? "");
      else if (bare.includes(name)) add(name, inline ?? "");
      else result.unknown ??= arg;
      continue;
    }
    if (!arg.startsWith("-") || arg === "-") {
      result.rest.push(arg);
      continue;
    }
    for (let c = 1; c < arg.length; c++) {
      const name = arg.charAt(c);
      if (takesValue.includes(name)) {
        add(name, c + 1 < arg.length ? arg.slice(c + 1) : (args[++i] ?? ""));
        break;
      }
      if (bare.includes(name)) add(name, "");
      else result.unknown ??= `-${name}`;
    }
  }
  return result;
}

export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
