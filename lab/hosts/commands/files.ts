import { createHash, randomBytes } from "node:crypto";
import * as path from "node:path/posix";
import { latin1FromBytes } from "just-bash";
import { quote } from "../../../common/quote";
import { absolute, fail, type HostCommand, type Invocation, ok, parseFlags, unmodelled, withoutArguments } from "../command";
import { findDisk } from "../disks";
import { findUser, readGroups } from "../machine";

async function format(run: Invocation, name: string, pattern: string, follow: boolean): Promise<string> {
  const stat = await run.machine.disk.stat(absolute(run, name), follow);
  const user = (await findUser(run.machine, String(stat.uid)))?.name ?? "UNKNOWN";
  const group = (await readGroups(run.machine)).find((g) => g.gid === stat.gid)?.name ?? "UNKNOWN";
  const kind = findDisk(run.machine, await run.machine.disk.follow(absolute(run, name)))
    ? "block special file"
    : stat.isSymbolicLink
      ? "symbolic link"
      : stat.isDirectory
        ? "directory"
        : stat.size === 0
          ? "regular empty file"
          : "regular file";
  const seconds = Math.floor(stat.mtime.getTime() / 1000);
  const fields: Record<string, string | number> = {
    a: (stat.mode & 0o7777).toString(8),
    U: user,
    G: group,
    u: stat.uid,
    g: stat.gid,
    s: stat.isDirectory ? 4096 : stat.size,
    n: name,
    F: kind,
    Y: seconds,
    y: stat.mtime.toISOString().replace("T", " ").replace("Z", "000000 +0000"),
    h: 1,
    "%": "%",
  };
  return pattern.replace(/%(.)/g, (whole, c: string) => String(fields[c] ?? whole));
}

const stat: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["c", "format", "printf"], ["L"]);
  const pattern = (flags.get("c") ?? flags.get("format"))?.[0] ?? flags.get("printf")?.[0];
  if (unknown || pattern === undefined) return unmodelled(run, "stat", unknown ?? "output without -c");
  const strange = [...pattern.matchAll(/%(.)/g)].find(([, letter]) => !"aUGugsnFYyh%".includes(letter ?? ""));
  if (strange !== undefined) return unmodelled(run, "stat", `the field ${strange[0]}`);
  let stdout = "";
  for (const name of rest) {
    if (!(await run.machine.disk.existsAtAll(absolute(run, name)))) {
      return { stdout, stderr: `stat: cannot statx '${name}': No such file or directory\n`, exitCode: 1 };
    }
    stdout += `${await format(run, name, pattern, flags.has("L"))}${flags.has("printf") ? "" : "\n"}`;
  }
  return ok(stdout);
};

const mktemp: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["p", "tmpdir"], ["d", "directory", "q"]);
  if (unknown) return unmodelled(run, "mktemp", unknown);
  const template = rest[0] ?? "tmp.XXXXXXXXXX";
  const folder = rest[0]?.includes("/") ? "" : (flags.get("p")?.[0] ?? flags.get("tmpdir")?.[0] ?? "/tmp");
  const name = path.join(
    folder,
    template.replace(/X{3,}/, (x) => randomBytes(x.length).toString("hex").slice(0, x.length)),
  );
  const target = absolute(run, name);
  const isFolder = flags.has("d") || flags.has("directory");
  if (isFolder) await run.shell.fs.mkdir(target);
  else await run.shell.fs.writeFile(target, "");
  await run.shell.fs.chmod(target, isFolder ? 0o700 : 0o600);
  return ok(`${name}\n`);
};

const install: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["m", "mode", "o", "owner", "g", "group", "t"], ["d", "D"]);
  if (unknown) return unmodelled(run, "install", unknown);
  const mode = (flags.get("m") ?? flags.get("mode"))?.[0] ?? "0755";
  const owner = (flags.get("o") ?? flags.get("owner"))?.[0];
  const group = (flags.get("g") ?? flags.get("group"))?.[0];
  const finish = (names: string[]) => {
    const quoted = names.map(quote).join(" ");
    const ownership =
      owner !== undefined || group !== undefined ? ` && chown ${quote(`${owner ?? ""}${group === undefined ? "" : `:${group}`}`)} ${quoted}` : "";
    return `chmod ${mode} ${quoted}${ownership}`;
  };
  const line = (text: string) =>
    run.shell.exec?.(text, { cwd: run.shell.cwd, stdin: latin1FromBytes(run.shell.stdin), stdinKind: "bytes" }) ?? fail("install: no shell");
  if (flags.has("d")) return line(`mkdir -p ${rest.map(quote).join(" ")} && ${finish(rest)}`);
  const target = flags.get("t")?.[0] ?? rest.pop() ?? "";
  const isFolder = (await run.shell.fs.exists(absolute(run, target))) && (await run.shell.fs.stat(absolute(run, target))).isDirectory;
  const make = flags.has("D") ? `mkdir -p ${quote(path.dirname(target))} && ` : "";
  for (const source of rest) {
    const to = isFolder ? path.join(target, path.basename(source)) : target;
    const copy = source === "/dev/stdin" ? `cat > ${quote(to)}` : `cp ${quote(source)} ${quote(to)}`;
    const result = await line(`${make}rm -f ${quote(to)} && ${copy} && ${finish([to])}`);
    if (result.exitCode !== 0) return result;
  }
  return ok();
};

/** A file's digest. For the stand-in of a download it is the published digest of the real file, not that of the lab's short script. */
async function digestOf(run: Invocation, name: string): Promise<string> {
  const target = absolute(run, name);
  const bytes = await run.shell.fs.readFileBuffer(target);
  return run.machine.disk.publishedDigest(await run.machine.disk.follow(target)) ?? createHash("sha256").update(bytes).digest("hex");
}

const sha256sum: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["c", "check", "b", "t", "status", "quiet", "strict"]);
  if (unknown) return unmodelled(run, "sha256sum", unknown);
  const names = rest.length === 0 ? ["-"] : rest;
  const check = flags.has("c") || flags.has("check");
  if (check && names.length > 1) return unmodelled(run, "sha256sum", "-c with several lists");
  let stdout = "";
  for (const name of names) {
    if (name !== "-" && !(await run.shell.fs.exists(absolute(run, name)))) {
      return { stdout, stderr: `sha256sum: ${name}: No such file or directory\n`, exitCode: 1 };
    }
    const input = name === "-" ? Buffer.from(latin1FromBytes(run.shell.stdin), "latin1") : undefined;
    if (check) return checkSums(run, input?.toString() ?? (await run.shell.fs.readFile(absolute(run, name))), flags);
    stdout += `${input ? createHash("sha256").update(input).digest("hex") : await digestOf(run, name)}  ${name}\n`;
  }
  return ok(stdout);
};

async function checkSums(run: Invocation, list: string, flags: Map<string, string[]>) {
  let stdout = "";
  let failed = 0;
  for (const line of list.split("\n").filter((l) => l.trim() !== "")) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (!match) continue;
    const [, expected = "", name = ""] = match;
    const there = await run.shell.fs.exists(absolute(run, name));
    const good = there && (await digestOf(run, name)) === expected;
    if (!good) failed += 1;
    if (!flags.has("status") && !(good && flags.has("quiet"))) stdout += `${name}: ${good ? "OK" : there ? "FAILED" : "FAILED open or read"}\n`;
  }
  const warning = failed > 0 && !flags.has("status") ? `sha256sum: WARNING: ${failed} computed checksum did NOT match\n` : "";
  return { stdout, stderr: warning, exitCode: failed > 0 ? 1 : 0 };
}

const cmp: HostCommand = async (run) => {
  const { rest, unknown } = parseFlags(run.args, [], ["s", "silent", "quiet"]);
  if (unknown || rest.length !== 2) return unmodelled(run, "cmp", unknown ?? run.args.join(" "));
  const read = async (name: string) =>
    name === "-" ? Buffer.from(latin1FromBytes(run.shell.stdin), "latin1") : Buffer.from(await run.shell.fs.readFileBuffer(absolute(run, name)));
  for (const name of rest) if (name !== "-" && !(await run.shell.fs.exists(absolute(run, name)))) return { ...ok(), exitCode: 2 };
  const [a, b] = [await read(rest[0] ?? ""), await read(rest[1] ?? "")];
  return { ...ok(), exitCode: a.equals(b) ? 0 : 1 };
};

const flock: HostCommand = async (run) => {
  let at = 0;
  for (; run.args[at]?.startsWith("-"); at++) {
    const flag = run.args[at] ?? "";
    if (["-w", "--timeout", "-E"].includes(flag)) at++;
    else if (!["-n", "-x", "-s", "-e", "-u", "--nonblock"].includes(flag)) return unmodelled(run, "flock", flag);
  }
  const lock = run.args[at] ?? "";
  // A lock on an open file: the sessions of a host do not wait for each other here.
  if (/^\d+$/.test(lock)) return ok();
  const words = run.args.slice(at + 1);
  const line = words[0] === "-c" ? (words[1] ?? "") : words.map(quote).join(" ");
  if (!(await run.shell.fs.exists(absolute(run, lock)))) await run.shell.fs.writeFile(absolute(run, lock), "");
  return (await run.shell.exec?.(line, { cwd: run.shell.cwd, stdin: latin1FromBytes(run.shell.stdin), stdinKind: "bytes" })) ?? fail("flock: no shell");
};

const umask: HostCommand = async (run) => {
  const [value, ...more] = run.args;
  if (more.length > 0) return unmodelled(run, "umask", more.join(" "));
  if (value === undefined) return ok(`${run.who.umask.toString(8).padStart(4, "0")}\n`);
  if (!/^[0-7]{1,4}$/.test(value)) return unmodelled(run, "umask", value);
  run.who.umask = Number.parseInt(value, 8);
  return ok();
};

export const FILE_COMMANDS: Record<string, HostCommand> = {
  stat,
  mktemp,
  install,
  sha256sum,
  cmp,
  flock,
  umask,
  sync: withoutArguments("sync", async () => ok()),
};
