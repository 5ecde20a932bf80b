import { latin1FromBytes } from "just-bash";
import { quote } from "../../../common/quote";
import { fail, type HostCommand, ok, splitOnce, unmodelled } from "../command";

/** just-bash's `env` does not export what it sets to the programs below it. */
const env: HostCommand = async (run) => {
  const args = [...run.args];
  const set: Record<string, string> = { ...run.shell.exportedEnv };
  while (args[0] !== undefined) {
    const word = args[0];
    if (word === "-i" || word === "-" || word === "--ignore-environment") for (const name of Object.keys(set)) delete set[name];
    else if (word === "-u") {
      delete set[args[1] ?? ""];
      args.shift();
    } else if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) {
      const [name, value = ""] = splitOnce(word, "=");
      set[name] = value;
    } else if (word.startsWith("-")) return unmodelled(run, "env", word);
    else break;
    args.shift();
  }
  if (args.length === 0)
    return ok(
      Object.entries(set)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
  const exports = Object.entries(set).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  const line = `${exports.join("")}${args.map(quote).join(" ")}`;
  const result = await run.shell.exec?.(line, { cwd: run.shell.cwd, stdin: latin1FromBytes(run.shell.stdin), stdinKind: "bytes", env: {}, replaceEnv: true });
  return result ?? fail("env: no shell", 127);
};

/** just-bash's `grep` takes only the last of several `-e`. */
const grep: HostCommand = async (run) => {
  const original = run.shell.origCommand;
  if (!original) return fail("grep: not available", 127);
  const patterns: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < run.args.length; i++) {
    const arg = run.args[i] ?? "";
    if (arg === "--") {
      others.push(...run.args.slice(i));
      break;
    }
    if (arg === "-e" || arg === "--regexp") patterns.push(run.args[++i] ?? "");
    else if (arg.startsWith("--regexp=")) patterns.push(arg.slice(9));
    else others.push(arg);
  }
  if (patterns.length < 2) return original(run.args);
  const flags = others.filter((o) => /^-[A-Za-z]+$/.test(o)).join("");
  if (flags.includes("F")) return unmodelled(run, "grep", "several fixed strings");
  return original(["-e", patterns.join(/[EP]/.test(flags) ? "|" : "\\|"), ...others]);
};

/** just-bash's `rm` does not know the guard against other filesystems; a lab's host has one. */
const rm: HostCommand = async (run) => {
  const original = run.shell.origCommand;
  return original ? original(run.args.filter((arg) => arg !== "--one-file-system")) : fail("rm: not available", 127);
};

export const FIXED_COMMANDS: Record<string, HostCommand> = { env, grep, rm };
