import { createContext, type OwnedContext } from "../core/context";
import { type Host, startHost } from ".";
import { COMMAND_NAMES } from "./shell";

let ctx: OwnedContext;
let host: Host;
beforeAll(async () => {
  ctx = await createContext();
  host = await startHost({
    spec: {
      id: "1",
      hostname: "h",
      address: "192.168.1.60",
      prefix: 24,
      gateway: undefined,
      nameserver: undefined,
      user: "u",
      authorizedKeys: [],
      cores: 2,
      memoryMiB: 2048,
      diskGiB: 10,
    },
    ctx,
    startCluster: async () => ({ adminKubeconfig: () => "", save: () => ({}), stop: async () => undefined }),
  });
});
afterAll(() => host.stop());

/** These hand what they do not know to the shell's own program, which refuses it itself. */
const OF_THE_SHELL = new Set(["cat", "ls", "mkdir", "chmod", "grep", "rm", "tar"]);

async function isRefused(line: string): Promise<boolean> {
  const before = ctx.unhandled.all().length;
  const { exitCode, stderr } = await host.run(line, { user: "root" });
  return exitCode === 2 && /not modelled by the lab/.test(stderr.toString()) && ctx.unhandled.all().length === before + 1;
}

test.each(COMMAND_NAMES.filter((name) => !OF_THE_SHELL.has(name)))("%s refuses an option that it does not have, and it is noted", async (name) => {
  expect([name, await isRefused(`${name} --no-such-option`)]).toEqual([name, true]);
});

test.each([...OF_THE_SHELL])("%s of the shell refuses an option that it does not have", async (name) => {
  expect((await host.run(`${name} --no-such-option x`, { user: "root" })).exitCode).not.toBe(0);
});

test.each([
  "df -h",
  "df /nowhere",
  "lsblk -f",
  "free -h",
  "ss -s",
  "ss",
  "lsmod x",
  "nproc --all",
  "uptime -p",
  "arch x",
  "whoami x",
  "hostname a b",
  "hostnamectl set-chassis vm",
  "ip link",
  "ip addr add 10.0.0.1/8 dev eth0",
  "ip route add default via 10.0.0.1",
  "modprobe -n overlay",
  "swapoff /swap.img",
  "swapon --show=SIZE",
  "timedatectl set-ntp true",
  "timedatectl show -p Nothing",
  "cloud-init status --format json",
  "journalctl --since today",
  "mktemp --suffix=.x",
  "stat -t /",
  "getent hosts localhost",
  "getent passwd root bin",
  "sudo -l",
  "sync /x",
  "umask -S",
  "findmnt -t ext4",
  "findmnt -n -o LABEL /",
  "curl -I https://example.org/",
  "curl -u a:b https://example.org/",
  "curl -A me https://example.org/",
  "curl -w '%{size_download}' https://example.org/",
  "curl -d @/etc/hosts https://example.org/",
  "curl --proto =http https://example.org/",
  "stat -c %b /",
  "id root bin",
  "sha256sum -c /etc/hosts /etc/hostname",
  "chown -h root /etc/hosts",
  "chown -v root /etc/hosts",
  "groupadd a b",
  "useradd a b",
  "usermod -s /bin/sh root bin",
  "mkfs.ext4 -L data /dev/sdb",
  "apt-get -y -o APT::Get::AllowUnauthenticated=true install curl",
  "apt-get -y -t noble-backports install curl",
  "apt-get update curl",
  "openssl x509 -in /etc/hosts -noout -checkend 1 -text",
  "gpg --batch --show-keys --with-colons /a /b",
])("%s is refused and noted, where an earlier lab took it", async (line) => {
  expect([line, await isRefused(line)]).toEqual([line, true]);
});

test("a program that is a file, and is given more arguments than the shell hands on, is refused and noted", async () => {
  const ten = "1 2 3 4 5 6 7 8 9 10";
  await host.run(`printf '#!/bin/sh\\nlab-binary k3s v1 "$@"\\n' > /usr/local/bin/k3s && chmod 755 /usr/local/bin/k3s`, { user: "root" });
  expect(await isRefused(`k3s ${ten}`)).toBe(true);
  expect(await isRefused(`/usr/sbin/modprobe ${ten}`)).toBe(true);
});
