import { Bash, getCommandNames } from "just-bash";
import { unpack } from "./archive";
import type { HostDisk, Identity } from "./filesystem";
import type { HostSpec, Machine } from "./machine";

/** Commands of just-bash that a Debian host does not have. */
const NOT_ON_DEBIAN = new Set(["html-to-markdown", "xan", "yq", "rg", "sqlite3", "js-exec", "help", "history", "tree"]);

const OS_RELEASE = `PRETTY_NAME="Ubuntu 24.04.2 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.2 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
`;

/** The files of the cloud image, the same on every host. */
export async function installImage(machine: Machine, commands: readonly string[]): Promise<void> {
  const { disk } = machine;
  // Its constructor lays out /dev and /proc.
  new Bash({ fs: disk.inner, commands: [] });
  for (const folder of [
    "/etc/systemd/system",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/lib/systemd/system",
    "/var/lib",
    "/var/log",
    "/run",
    "/home",
    "/mnt",
    "/opt",
    "/srv",
    "/etc/apt/keyrings",
    "/etc/apt/sources.list.d",
    "/etc/sysctl.d",
    "/etc/modules-load.d",
  ])
    await disk.makeFolder(folder);
  await disk.makeFolder("/tmp");
  await disk.inner.chmod("/tmp", 0o1777);
  await disk.makeFolder("/root", 0o700);
  for (const name of [...getCommandNames().filter((n) => !NOT_ON_DEBIAN.has(n)), ...commands]) await stub(disk, name);
  await disk.install("/etc/os-release", OS_RELEASE);
  await disk.install("/etc/debian_version", "trixie/sid\n");
  await disk.install(
    "/etc/passwd",
    "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  );
  await disk.install("/etc/group", "root:x:0:\ndaemon:x:1:\nadm:x:4:\nsudo:x:27:\nwww-data:x:33:\nshadow:x:42:\nnogroup:x:65534:\n");
  await disk.install("/etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640, { uid: 0, gid: 42 });
  await disk.install("/etc/fstab", "LABEL=cloudimg-rootfs\t/\text4\tdiscard,commit=30,errors=remount-ro\t0\t1\n");
  await disk.install("/etc/timezone", "Etc/UTC\n");
  await disk.install("/etc/ssl/certs/ca-certificates.crt", "# the lab's authority is trusted by its curl\n");
  for (const name of machine.packages.keys()) await unpack(machine, name);
}

/** just-bash finds a command by a file of its name in /bin or /usr/bin; under another path the file runs as this script. */
async function stub(disk: HostDisk, name: string): Promise<void> {
  const text = `#!/bin/sh\n/usr/bin/${name} "$@"\n`;
  await disk.install(`/usr/bin/${name}`, text, 0o755);
  await disk.install(`/bin/${name}`, text, 0o755);
  if (["sysctl", "modprobe", "ip", "useradd", "usermod", "groupadd", "swapoff", "lsmod", "chown", "blkid", "mkfs.ext4"].includes(name)) {
    const byPath = `#!/bin/sh\n[ $# -le 9 ] || { lab-binary ${name} image "$@"; exit 2; }\n/usr/bin/${name} "$@"\n`;
    await disk.install(`/usr/sbin/${name}`, byPath, 0o755);
    await disk.install(`/sbin/${name}`, byPath, 0o755);
  }
}

/** What cloud-init does on the first boot: name, user, keys, resolver. */
export async function firstBoot(machine: Machine, spec: HostSpec): Promise<void> {
  const { disk } = machine;
  await disk.install("/etc/hostname", `${spec.hostname}\n`);
  await disk.install("/etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${spec.hostname}\n`);
  if (spec.nameserver !== undefined) await disk.install("/etc/resolv.conf", `nameserver ${spec.nameserver}\n`);
  const user: Identity = { name: spec.user, uid: 1000, gid: 1000, home: `/home/${spec.user}`, groups: [4, 27], umask: 0o022 };
  if (spec.user !== "root") {
    await disk.install("/etc/passwd", `${(await disk.read("/etc/passwd")) ?? ""}${user.name}:x:1000:1000::${user.home}:/bin/bash\n`);
    const groups = ((await disk.read("/etc/group")) ?? "").replace(/^(adm:x:4:|sudo:x:27:)$/gm, `$1${user.name}`);
    await disk.install("/etc/group", `${groups}${user.name}:x:1000:\n`);
    await disk.install("/etc/sudoers.d/90-cloud-init-users", `${user.name} ALL=(ALL) NOPASSWD:ALL\n`, 0o440);
    await disk.makeFolder(user.home, 0o750, user);
  }
  await writeKeys(machine, spec);
  await disk.makeFolder("/var/lib/cloud/instance");
  await disk.install("/var/lib/cloud/instance/boot-finished", "done\n");
}

/** Login keys as the VM's configuration has them now: cloud-init writes them anew when its data changed. */
export async function writeKeys(machine: Machine, spec: HostSpec): Promise<void> {
  const root = spec.user === "root";
  const owner = root ? { uid: 0, gid: 0 } : { uid: 1000, gid: 1000 };
  const home = root ? "/root" : `/home/${spec.user}`;
  await machine.disk.makeFolder(`${home}/.ssh`, 0o700, owner);
  const text = `${spec.authorizedKeys.join("\n")}\n`;
  if ((await machine.disk.read(`${home}/.ssh/authorized_keys`)) !== text) await machine.disk.install(`${home}/.ssh/authorized_keys`, text, 0o600, owner);
}
