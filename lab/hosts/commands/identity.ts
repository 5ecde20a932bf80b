import { latin1FromBytes } from "just-bash";
import { quote } from "../../../common/quote";
import { absolute, fail, type HostCommand, type Invocation, ok, parseFlags, splitOnce, unmodelled, withoutArguments } from "../command";
import type { Identity } from "../filesystem";
import { findUser, readGroups } from "../machine";

const id: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["u", "g", "n", "G", "r"]);
  if (unknown || rest.length > 1) return unmodelled(run, "id", unknown ?? rest.join(" "));
  const user = rest[0] === undefined ? run.who : await findUser(run.machine, rest[0]);
  if (!user) return fail(`id: '${rest[0]}': no such user`);
  const groups = await readGroups(run.machine);
  const nameOf = (gid: number) => groups.find((g) => g.gid === gid)?.name ?? String(gid);
  if (flags.has("u")) return ok(`${flags.has("n") ? user.name : user.uid}\n`);
  if (flags.has("g")) return ok(`${flags.has("n") ? nameOf(user.gid) : user.gid}\n`);
  const all = [user.gid, ...user.groups.filter((g) => g !== user.gid)];
  if (flags.has("G")) return ok(`${all.map((g) => (flags.has("n") ? nameOf(g) : g)).join(" ")}\n`);
  return ok(`uid=${user.uid}(${user.name}) gid=${user.gid}(${nameOf(user.gid)}) groups=${all.map((g) => `${g}(${nameOf(g)})`).join(",")}\n`);
};

const whoami: HostCommand = withoutArguments("whoami", async (run) => ok(`${run.who.name}\n`));

const getent: HostCommand = async (run) => {
  const [database, key, ...more] = run.args;
  if (more.length > 0) return unmodelled(run, "getent", more.join(" "));
  if (database !== "passwd" && database !== "group") return unmodelled(run, "getent", database ?? "no database");
  const lines = ((await run.machine.disk.read(`/etc/${database}`)) ?? "").split("\n").filter((l) => l !== "");
  const found = key === undefined ? lines : lines.filter((l) => l.split(":")[0] === key || l.split(":")[2] === key);
  return found.length === 0 ? { ...ok(), exitCode: 2 } : ok(`${found.join("\n")}\n`);
};

async function ownerFrom(run: Invocation, text: string): Promise<{ uid?: number; gid?: number } | string> {
  const [user = "", group] = splitOnce(text, ":");
  const owner: { uid?: number; gid?: number } = {};
  if (user !== "") {
    const found = await findUser(run.machine, user);
    if (!found && !/^\d+$/.test(user)) return `invalid user: '${text}'`;
    owner.uid = found?.uid ?? Number(user);
    if (group === "" && found) owner.gid = found.gid;
  }
  if (group !== undefined && group !== "") {
    const found = (await readGroups(run.machine)).find((g) => g.name === group);
    if (!found && !/^\d+$/.test(group)) return `invalid group: '${text}'`;
    owner.gid = found?.gid ?? Number(group);
  }
  return owner;
}

async function changeOwner(run: Invocation, command: string, owner: { uid?: number; gid?: number } | string, names: string[], recursive: boolean) {
  if (typeof owner === "string") return fail(`${command}: ${owner}`);
  for (const name of names) {
    const target = absolute(run, name);
    if (!(await run.machine.disk.existsAtAll(target))) return fail(`${command}: cannot access '${name}': No such file or directory`);
    if (run.who.uid !== 0) return fail(`${command}: changing ownership of '${name}': Operation not permitted`);
    const root = await run.machine.disk.follow(target);
    const all = recursive ? run.machine.disk.inner.getAllPaths().filter((p) => p === root || p.startsWith(`${root}/`)) : [root];
    for (const path of all) await run.machine.disk.chown(path, owner);
  }
  return ok();
}

const chown: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["R", "recursive"]);
  if (unknown) return unmodelled(run, "chown", unknown);
  const [owner = "", ...names] = rest;
  return changeOwner(run, "chown", await ownerFrom(run, owner), names, flags.has("R") || flags.has("recursive"));
};

const chgrp: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["R"]);
  if (unknown) return unmodelled(run, "chgrp", unknown);
  const [group = "", ...names] = rest;
  return changeOwner(run, "chgrp", await ownerFrom(run, `:${group}`), names, flags.has("R"));
};

const addLine = async (run: Invocation, file: string, line: string, mode = 0o644): Promise<void> => {
  await run.machine.disk.install(file, `${(await run.machine.disk.read(file)) ?? ""}${line}\n`, mode);
};

const groupadd: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["g", "gid"], ["r", "system", "f"]);
  if (unknown || rest.length !== 1) return unmodelled(run, "groupadd", unknown ?? `${rest.length} names`);
  if (run.who.uid !== 0) return fail("groupadd: Permission denied.\ngroupadd: cannot lock /etc/group; try again later.", 10);
  const groups = await readGroups(run.machine);
  const name = rest[0] ?? "";
  if (groups.some((g) => g.name === name)) return flags.has("f") ? ok() : fail(`groupadd: group '${name}' already exists`, 9);
  const from = flags.has("r") || flags.has("system") ? 900 : 1000;
  const gid = Number((flags.get("g") ?? flags.get("gid"))?.[0] ?? Math.max(from, ...groups.map((g) => g.gid).filter((g) => g >= from && g < from + 5000)) + 1);
  await addLine(run, "/etc/group", `${name}:x:${gid}:`);
  return ok();
};

const useradd: HostCommand = async (run) => {
  const values = ["u", "uid", "g", "gid", "d", "home-dir", "home", "s", "shell", "c", "comment", "G", "groups"];
  const { flags, rest, unknown } = parseFlags(run.args, values, ["r", "system", "m", "create-home", "M", "no-create-home", "U", "user-group"]);
  if (unknown || rest.length !== 1) return unmodelled(run, "useradd", unknown ?? `${rest.length} names`);
  if (run.who.uid !== 0) return fail("useradd: Permission denied.\nuseradd: cannot lock /etc/passwd; try again later.");
  const name = rest[0] ?? "";
  if (await findUser(run.machine, name)) return fail(`useradd: user '${name}' already exists`, 9);
  const get = (short: string, long: string) => (flags.get(short) ?? flags.get(long))?.[0];
  const taken = ((await run.machine.disk.read("/etc/passwd")) ?? "").split("\n").map((l) => Number(l.split(":")[2]));
  const system = flags.has("r") || flags.has("system");
  const from = system ? 900 : 1000;
  const uid = Number(get("u", "uid") ?? Math.max(from, ...taken.filter((n) => n >= from && n < from + 90)) + 1);
  const group = get("g", "gid");
  if (group === undefined) await addLine(run, "/etc/group", `${name}:x:${uid}:`);
  const gid = group === undefined ? uid : ((await readGroups(run.machine)).find((g) => g.name === group)?.gid ?? Number(group));
  if (Number.isNaN(gid)) return fail(`useradd: group '${group}' does not exist`, 6);
  const home = get("d", "home-dir") ?? flags.get("home")?.[0] ?? `/home/${name}`;
  await addLine(run, "/etc/passwd", `${name}:x:${uid}:${gid}:${get("c", "comment") ?? ""}:${home}:${get("s", "shell") ?? "/bin/sh"}`);
  await joinGroups(run, name, get("G", "groups")?.split(",") ?? []);
  if (flags.has("m") || flags.has("create-home")) await run.machine.disk.makeFolder(home, 0o750, { uid, gid });
  return ok();
};

/** Home, shell and supplementary groups. */
const usermod: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["d", "s", "G"], ["a"]);
  const [name = ""] = rest;
  if (unknown || rest.length !== 1 || (flags.has("G") && !flags.has("a")))
    return unmodelled(run, "usermod", unknown ?? (rest.length === 1 ? "-G without -a" : `${rest.length} names`));
  if (run.who.uid !== 0) return fail("usermod: Permission denied.\nusermod: cannot lock /etc/passwd; try again later.");
  if (!(await findUser(run.machine, name))) return fail(`usermod: user '${name}' does not exist`, 6);
  const groups = flags.get("G")?.[0]?.split(",") ?? [];
  const known = await readGroups(run.machine);
  const missing = groups.find((each) => each !== "" && !known.some((one) => one.name === each));
  if (missing !== undefined) return fail(`usermod: group '${missing}' does not exist`, 6);
  const { disk } = run.machine;
  const passwd = ((await disk.read("/etc/passwd")) ?? "").split("\n").map((line) => {
    const parts = line.split(":");
    if (parts[0] !== name) return line;
    return [...parts.slice(0, 5), flags.get("d")?.[0] ?? parts[5], flags.get("s")?.[0] ?? parts[6]].join(":");
  });
  await disk.install("/etc/passwd", passwd.join("\n"));
  await joinGroups(run, name, groups);
  return ok();
};

async function joinGroups(run: Invocation, name: string, groups: readonly string[]): Promise<void> {
  const lines = ((await run.machine.disk.read("/etc/group")) ?? "").split("\n").map((line) => {
    const [group = "", , , members = ""] = line.split(":");
    if (!groups.includes(group) || members.split(",").includes(name)) return line;
    return `${line}${members === "" ? "" : ","}${name}`;
  });
  await run.machine.disk.install("/etc/group", lines.join("\n"));
}

const SUDO_ENVIRONMENT = ["TERM", "LANG", "LC_ALL", "COLORTERM"];

/** sudo: everybody in the group sudo may do everything without a password, as cloud images set it up. */
const sudo: HostCommand = async (run) => {
  const args = [...run.args];
  let user = "root";
  let keepEnvironment = false;
  let login = false;
  while (args[0]?.startsWith("-")) {
    const flag = args.shift() ?? "";
    if (flag === "-u") user = args.shift() ?? "root";
    else if (flag.startsWith("--user=")) user = flag.slice(7);
    else if (flag === "-E" || flag.startsWith("--preserve-env")) keepEnvironment = true;
    else if (flag === "-i") login = true;
    else if (flag === "-p") args.shift();
    else if (flag === "-v") return ok();
    else if (flag === "--") break;
    else if (!["-n", "-H", "-S"].includes(flag)) return unmodelled(run, "sudo", flag);
  }
  const allowed = run.who.uid === 0 || (await readGroups(run.machine)).some((g) => g.name === "sudo" && g.members.includes(run.who.name));
  if (!allowed) return fail("sudo: a password is required");
  const target: Identity | undefined = await findUser(run.machine, user);
  if (!target) return fail(`sudo: unknown user ${user}`);
  const inherited = Object.entries(run.shell.exportedEnv ?? {}).filter(([name]) => keepEnvironment || SUDO_ENVIRONMENT.includes(name));
  const env: Record<string, string> = { ...Object.fromEntries(inherited), SUDO_USER: run.who.name, SUDO_UID: String(run.who.uid) };
  while (args[0] !== undefined && /^[A-Za-z_][A-Za-z0-9_]*=/.test(args[0])) {
    const [name, value = ""] = splitOnce(args.shift() ?? "", "=");
    env[name] = value;
  }
  const line = args.length === 0 ? "bash -s" : args.map(quote).join(" ");
  return run.runAs(target, line, { env, cwd: login ? target.home : run.shell.cwd, stdin: latin1FromBytes(run.shell.stdin) });
};

export const IDENTITY_COMMANDS: Record<string, HostCommand> = { id, whoami, getent, chown, chgrp, groupadd, useradd, usermod, sudo };
