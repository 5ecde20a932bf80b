import { randomUUID } from "node:crypto";
import { absolute, fail, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";
import { type Disk, findDisk } from "../disks";

/** The disk behind a path, which may be a link below /dev/disk/by-id. */
async function diskAt(run: Invocation, name: string): Promise<Disk | undefined> {
  return findDisk(run.machine, await run.machine.disk.follow(absolute(run, name)));
}

const blkid: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["s", "o"], ["p"]);
  if (unknown || rest.length !== 1) return unmodelled(run, "blkid", unknown ?? "without one device");
  const disk = await diskAt(run, rest[0] ?? "");
  if (disk?.content === undefined) return { ...ok(), exitCode: 2 };
  const { type, uuid } = disk.content;
  const values: Record<string, string> = type === "dos" || type === "gpt" ? { PTUUID: uuid, PTTYPE: type } : { UUID: uuid, TYPE: type, USAGE: "filesystem" };
  const wanted = flags.get("s")?.[0];
  const shown = Object.entries(values).filter(([key]) => wanted === undefined || key === wanted);
  if (shown.length === 0) return { ...ok(), exitCode: 2 };
  const format = flags.get("o")?.[0];
  if (format === "value") return ok(shown.map(([, value]) => `${value}\n`).join(""));
  if (format === "export") return ok([["DEVNAME", rest[0]], ...shown].map(([key, value]) => `${key}=${value}\n`).join(""));
  return unmodelled(run, "blkid", `-o ${format ?? "full"}`);
};

const mkfsExt4: HostCommand = async (run) => {
  const { rest, unknown } = parseFlags(run.args, [], ["q"]);
  if (unknown || rest.length !== 1) return unmodelled(run, "mkfs.ext4", unknown ?? "without one device");
  if (run.who.uid !== 0) return fail(`mkfs.ext4: Permission denied while trying to determine filesystem size`);
  const disk = await diskAt(run, rest[0] ?? "");
  if (disk === undefined) return fail(`The file ${rest[0]} does not exist and no size was specified.`);
  if (disk.content !== undefined) return fail(`${rest[0]} contains a ${disk.content.type} file system\nProceed anyway? (y,N)`);
  disk.content = { type: "ext4", uuid: randomUUID() };
  run.machine.effects += 1;
  return ok();
};

/** `mount PATH`, as fstab says. */
const mount: HostCommand = async (run) => {
  const { mounts } = run.machine.kernel;
  if (run.args.length === 0) {
    const others = [...mounts].map(([path, name]) => `/dev/${name} on ${path} type ext4 (rw,relatime)\n`);
    return ok(`/dev/sda1 on / type ext4 (rw,relatime)\n${others.join("")}`);
  }
  const [target = ""] = run.args;
  if (run.args.length !== 1 || target.startsWith("-")) return unmodelled(run, "mount", run.args.join(" "));
  if (run.who.uid !== 0) return fail(`mount: ${target}: must be superuser to use mount.`, 1);
  const line = ((await run.machine.disk.read("/etc/fstab")) ?? "").split("\n").find((text) => !text.startsWith("#") && text.split(/\s+/)[1] === target);
  if (line === undefined) return fail(`mount: ${target}: can't find in /etc/fstab.`, 1);
  if (mounts.has(target)) return fail(`mount: ${target}: already mounted or mount point busy.`, 32);
  if (!(await run.machine.disk.inner.exists(target))) return fail(`mount: ${target}: mount point does not exist.`, 32);
  const uuid = /^UUID=(\S+)/.exec(line)?.[1];
  const disk = run.machine.disks.find(({ content }) => content?.uuid === uuid);
  if (uuid === undefined || disk === undefined) return fail(`mount: ${target}: can't find ${line.split(/\s+/)[0]}.`, 1);
  mounts.set(target, disk.name);
  run.machine.effects += 1;
  return ok();
};

const umount: HostCommand = async (run) => {
  const [target = ""] = run.args;
  if (run.args.length !== 1 || target.startsWith("-")) return unmodelled(run, "umount", run.args.join(" "));
  if (!run.machine.kernel.mounts.delete(target)) return fail(`umount: ${target}: not mounted.`, 32);
  run.machine.effects += 1;
  return ok();
};

const findmnt: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["o", "output", "T", "target", "M", "mountpoint"], ["n", "noheadings", "r", "raw", "l"]);
  if (unknown || rest.length > 1) return unmodelled(run, "findmnt", unknown ?? rest.join(" "));
  const { mounts } = run.machine.kernel;
  const below = flags.get("T")?.[0] ?? flags.get("target")?.[0];
  const exact = flags.get("M")?.[0] ?? flags.get("mountpoint")?.[0] ?? rest[0];
  const points = [...mounts.keys()].filter((path) => (below === undefined ? path === exact : below === path || below.startsWith(`${path}/`)));
  const target = points.sort((a, b) => b.length - a.length)[0] ?? (below !== undefined || (exact ?? "/") === "/" ? "/" : undefined);
  if (target === undefined) return { ...ok(), exitCode: 1 };
  const disk = run.machine.disks.find(({ name }) => name === mounts.get(target));
  const values: Record<string, string> = {
    TARGET: target,
    SOURCE: disk === undefined ? "/dev/sda1" : `/dev/${disk.name}`,
    FSTYPE: "ext4",
    OPTIONS: "rw,relatime",
    UUID: disk?.content?.uuid ?? "0b8ab5a4-7d4e-4a70-9d6c-2f2e0f1c9f11",
  };
  const columns = (flags.get("o") ?? flags.get("output"))?.[0]?.toUpperCase().split(",") ?? ["TARGET", "SOURCE", "FSTYPE", "OPTIONS"];
  const strange = columns.find((column) => values[column] === undefined);
  if (strange !== undefined) return unmodelled(run, "findmnt", `the column ${strange}`);
  const header = flags.has("n") || flags.has("noheadings") ? "" : `${columns.join(" ")}\n`;
  return ok(`${header}${columns.map((column) => values[column] ?? "").join(" ")}\n`);
};

export const STORAGE_COMMANDS: Record<string, HostCommand> = { blkid, "mkfs.ext4": mkfsExt4, mount, umount, findmnt };
