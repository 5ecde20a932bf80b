import { Bash, type Command, decodeBytesToUtf8, defineCommand, type ExecResult, type ResolvedCommandContext } from "just-bash";
import { fail, type HostCommand, type Invocation } from "./command";
import { BINARY_COMMANDS } from "./commands/binaries";
import { CURL_COMMANDS } from "./commands/curl";
import { REWORDED_COMMANDS } from "./commands/errors";
import { FILE_COMMANDS } from "./commands/files";
import { FIXED_COMMANDS } from "./commands/fixes";
import { IDENTITY_COMMANDS } from "./commands/identity";
import { PACKAGE_COMMANDS } from "./commands/packages";
import { PROGRAM_COMMANDS } from "./commands/programs";
import { STORAGE_COMMANDS } from "./commands/storage";
import { SYSTEM_COMMANDS } from "./commands/system";
import { SYSTEMCTL_COMMANDS } from "./commands/systemctl";
import type { Identity } from "./filesystem";
import type { Machine } from "./machine";
import { DiskView } from "./view";

const HOST_COMMANDS: Readonly<Record<string, HostCommand>> = {
  ...IDENTITY_COMMANDS,
  ...FILE_COMMANDS,
  ...PACKAGE_COMMANDS,
  ...SYSTEM_COMMANDS,
  ...STORAGE_COMMANDS,
  ...PROGRAM_COMMANDS,
  ...SYSTEMCTL_COMMANDS,
  ...CURL_COMMANDS,
  ...BINARY_COMMANDS,
  ...FIXED_COMMANDS,
  ...REWORDED_COMMANDS,
};

const SHELLS = ["bash", "sh"];

/** Every command of the lab's own that the image has a file for. */
export const COMMAND_NAMES: readonly string[] = Object.keys(HOST_COMMANDS);

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface ShellResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface ShellOptions {
  env: Record<string, string>;
  cwd: string;
  /** Latin-1 text, one character a byte. */
  stdin: string;
  signal?: AbortSignal;
}

/** Runs a command line as a user, as `sh -c` over SSH does. */
export async function runShell(machine: Machine, who: Identity, commandLine: string, options: ShellOptions): Promise<ShellResult> {
  const result = await execute(machine, { ...who }, commandLine, options);
  return { stdout: bytesOf(result.stdout, result), stderr: Buffer.from(result.stderr, "utf8"), exitCode: result.exitCode };
}

function bytesOf(text: string, result: ExecResult): Buffer {
  return Buffer.from(text, "stdoutKind" in result && result.stdoutKind === "bytes" ? "latin1" : "utf8");
}

async function execute(machine: Machine, who: Identity, commandLine: string, options: ShellOptions, reported = new Set<string>()): Promise<ExecResult> {
  const bash = new Bash({
    fs: new DiskView(machine.disk, who),
    cwd: options.cwd,
    env: { PATH, HOME: who.home, USER: who.name, LOGNAME: who.name, SHELL: "/bin/bash", PWD: options.cwd, ...options.env },
    customCommands: [
      ...Object.entries(HOST_COMMANDS).map(([name, command]) => adapt(machine, who, name, command, reported)),
      ...SHELLS.map((name) => shellCommand(name)),
    ],
    processInfo: { pid: 1000 + machine.journal.length, ppid: 1, uid: who.uid, gid: who.gid },
    sleep: (ms) => machine.ctx.clock.sleep(ms),
    defenseInDepth: false,
  });
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  try {
    const result = await bash.exec(commandLine, { rawScript: true, stdin: options.stdin, stdinKind: "bytes", ...signal });
    reportUnknown(machine, result.stderr, reported);
    return result;
  } catch (error) {
    // just-bash lets a redirection that cannot be opened end the whole script; bash would go on with the next command.
    const known = parseSystemError(error);
    if (!known) throw error;
    return fail(`bash: ${known.path}: ${known.text}`);
  }
}

/** An error of the disk as programs print it. */
function parseSystemError(error: unknown): { path: string; text: string } | undefined {
  const match = /^(?:EACCES|EPERM|ENOENT|EEXIST|ENOTDIR|EISDIR|ENOSPC): ([^,]+), \w+ '(.*)'/.exec(error instanceof Error ? error.message : "");
  return match ? { path: match[2] ?? "", text: (match[1] ?? "").replace(/^./, (c) => c.toUpperCase()) } : undefined;
}

/** Notes a command that the lab does not have as unhandled, once for each shell. */
function reportUnknown(machine: Machine, stderr: string, reported: Set<string>): void {
  for (const match of stderr.matchAll(/^bash: (?:line \d+: )?(\S+): command not found$/gm)) {
    if (reported.has(match[0])) continue;
    reported.add(match[0]);
    machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `command not found: ${match[1]}` });
  }
}

function adapt(machine: Machine, who: Identity, name: string, command: HostCommand, reported: Set<string>): Command {
  return defineCommand(name, async (args, shell) => {
    const run: Invocation = {
      args,
      machine,
      who,
      shell,
      // The signal that ends this command ends the other one too.
      runAs: (user, line, options) =>
        execute(machine, { ...user }, line, { ...options, ...(shell.signal === undefined ? {} : { signal: shell.signal }) }, reported),
    };
    try {
      return await command(run);
    } catch (error) {
      // The client that waited for the command is gone.
      if (shell.signal?.aborted) throw error;
      const known = parseSystemError(error);
      if (known) return fail(`${name}: ${known.path}: ${known.text}`);
      machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `${name}: ${String(error)}` });
      return fail(`${name}: ${String(error)}`);
    }
  });
}

/** just-bash's own shells know `-c` and a file; this adds `-s` and options before them. */
function shellCommand(name: string): Command {
  return defineCommand(name, async (args, shell: ResolvedCommandContext) => {
    const original = shell.origCommand;
    if (!original) return fail(`bash: ${name}: command not found`, 127);
    const options: string[] = [];
    const rest = [...args];
    let fromInput = false;
    let inline = false;
    while (rest[0] !== undefined && /^[-+][a-zA-Z]+$/.test(rest[0]) && !inline) {
      const flag = rest.shift() ?? "";
      const letters = flag.slice(1);
      if (letters === "o") options.push(`set ${flag} ${rest.shift() ?? ""}`);
      else if (!/^[eusxlic]+$/.test(letters)) return fail(`${name}: ${flag}: invalid option`, 2);
      else if (/[eux]/.test(letters)) options.push(`set ${flag[0]}${letters.replace(/[slic]/g, "")}`);
      fromInput ||= letters.includes("s");
      inline = letters.includes("c");
    }
    const run = (text: string, words: string[]) => original(["-c", [...options, text].join("\n"), ...words]);
    if (inline) return run(rest[0] ?? "", rest.slice(1));
    if (fromInput || rest[0] === undefined) return run(decodeBytesToUtf8(shell.stdin), [name, ...rest]);
    if (options.length === 0) return original(rest);
    return run(await shell.fs.readFile(shell.fs.resolvePath(shell.cwd, rest[0])), rest);
  });
}
