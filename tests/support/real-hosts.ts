/**
 * Debian hosts for tests, with systemd and OpenSSH. Each has its own root over one shared Debian, in namespaces that end with it. The
 * machine's network, processes and kernel settings stay unchanged. Each host has a link of its own to this machine.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { asError } from "../../common/errors";
import { newSshKey } from "../../lab/core/ssh-keys";
import { type AptProxy, startAptProxy } from "./real-apt-proxy";
import { mountsBelow, removeAbandoned } from "./real-mounts";
import { type RemoteResult, runOverSsh } from "./real-ssh";

/** The user that the hosts' cloud image would have: in `sudo`, without a password. */
const USER = "suporte";
/** After this time, a host that is not up has failed to boot. */
const BOOT_LIMIT_MS = 60_000;
const CGROUPS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/** The process id of the creator follows. By it, a later run recognises the folder of a killed one. */
const FOLDER_PREFIX = "homelab-real-";

type Undo = () => Promise<void> | void;

/** The subfolder for the sockets of connections that OpenSSH clients keep open. */
export const CONTROL_SOCKETS = "cp";

export interface RealHost {
  name: string;
  address: string;
  user: string;
  /** OpenSSH private key file of the user, 0600. */
  keyFile: string;
  /** A line for known_hosts. */
  knownHost: string;
  /** Process id of its init, on this machine. */
  initPid: number;
  /** The host's root folder on this machine. */
  root: string;
  /** The folder with the files that differ from the shared Debian, with overlayfs's marks for removed files. */
  changes: string;
  /** This machine's address on the link. */
  gateway: string;
  /** Downloads of the host that were refused, since they were not from its archives. */
  refusedDownloads: readonly string[];
  /** One command over a new SSH connection. */
  run(command: string, options?: { stdin?: string }): Promise<RemoteResult>;
}

export interface RealHosts {
  hosts: RealHost[];
  /** Folder with the key and known_hosts, for programs that need files. */
  folder: string;
  /** Undoes every step, also after one that fails. @throws the failures, and what is still mounted below the folder, which then remains */
  stop(): Promise<void>;
}

/** A pair of addresses for each host, from the range for benchmarks of network devices, which no network uses. */
export function linkOf(index: number): { gateway: string; address: string } {
  const first = ((process.pid % 4096) * 8 + index) * 4;
  const at = (n: number) => `198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  return { gateway: at(first + 1), address: at(first + 2) };
}

/**
 * @param debianRoot the part "debian-root"
 * @param names host names, at most eight
 */
export async function startRealHosts(debianRoot: string, names: readonly string[]): Promise<RealHosts> {
  if (names.length > 8) throw new Error("at most eight hosts");
  await removeAbandoned(os.tmpdir(), FOLDER_PREFIX, removeCgroups);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  const keys = newSshKey();
  const keyFile = path.join(folder, "key");
  fs.writeFileSync(keyFile, keys.private, { mode: 0o600 });
  const undo: Undo[] = [];
  const stop = () => undoAll(folder, undo);
  try {
    const hosts: RealHost[] = [];
    for (const [index, name] of names.entries()) hosts.push(await bootHost({ debianRoot, folder, name, index, keyFile, publicKey: keys.public, undo }));
    await Promise.all(hosts.map(untilReady));
    undo.push(() => endKeptConnections(path.join(folder, CONTROL_SOCKETS)));
    fs.writeFileSync(path.join(folder, "known_hosts"), hosts.map(({ knownHost }) => `${knownHost}\n`).join(""));
    return { hosts, folder, stop };
  } catch (error) {
    await stop().catch((left: unknown) => {
      throw new AggregateError([error, left], `${asError(error).message}; and then: ${asError(left).message}`);
    });
    throw error;
  }
}

async function undoAll(folder: string, undo: Undo[]): Promise<void> {
  const failures: Error[] = [];
  for (const step of undo.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(asError(error));
    }
  }
  // Removing the folder would also remove files of what is mounted in it.
  const left = mountsBelow(folder);
  if (left.length > 0) failures.push(new Error(`still mounted: ${left.join(", ")}`));
  else fs.rmSync(folder, { recursive: true, force: true });
  if (failures.length > 0) throw new AggregateError(failures, `hosts of ${folder}: ${failures.map(({ message }) => message).join("; ")}`);
}

interface BootRequest {
  debianRoot: string;
  folder: string;
  name: string;
  index: number;
  keyFile: string;
  publicKey: string;
  undo: Undo[];
}

async function bootHost({ debianRoot, folder, name, index, keyFile, publicKey, undo }: BootRequest): Promise<RealHost> {
  const { gateway, address } = linkOf(index);
  const own = path.join(folder, name);
  for (const part of ["changes", "work", "root"]) fs.mkdirSync(path.join(own, part), { recursive: true });
  const root = path.join(own, "root");
  const changes = path.join(own, "changes");
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", `lowerdir=${debianRoot},upperdir=${changes},workdir=${path.join(own, "work")}`, root]);
  undo.push(() => {
    execFileSync("umount", ["--lazy", root]);
  });

  const cgroup = path.join(cgroupRoot(), `${path.basename(folder)}-${name}`);
  const script = path.join(__dirname, "real-host.sh");
  // If this process is killed, its hosts end with it.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "sh", script, root, cgroup, name, address, gateway], { stdio: ["ignore", "ignore", "pipe"] });
  const failure: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => failure.push(chunk.toString()));
  undo.push(() => removeCgroup(cgroup));
  undo.push(() => end(child));

  const link = `hl${process.pid}x${index}`;
  execFileSync("ip", ["link", "add", link, "type", "veth", "peer", "name", `${link}p`]);
  execFileSync("ip", ["address", "add", `${gateway}/30`, "dev", link]);
  execFileSync("ip", ["link", "set", link, "up"]);
  undo.push(() => {
    // The link is removed with the host's namespace.
    if (fs.existsSync(`/sys/class/net/${link}`)) execFileSync("ip", ["link", "delete", link]);
  });
  const proxy = await startAptProxy(gateway);
  undo.push(() => proxy.stop());
  const hostKey = newSshKey();
  prepareRoot(root, { name, address, hostKey: hostKey.private, publicKey, proxy });

  // The namespaces exist when `unshare` has a child. Then the link can be moved in, and the script continues.
  const initPid = await until(`${name} has namespaces`, () => {
    if (child.exitCode !== null) throw new Error(`${name} did not start: ${failure.join("")}`);
    const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
    return children === "" || fs.readlinkSync(`/proc/${child.pid}/ns/net`) === fs.readlinkSync("/proc/self/ns/net")
      ? undefined
      : Number(children.split(" ")[0]);
  });
  execFileSync("ip", ["link", "set", `${link}p`, "netns", String(initPid), "name", "eth0"]);
  const privateKey = fs.readFileSync(keyFile, "utf8");
  return {
    name,
    address,
    user: USER,
    keyFile,
    knownHost: `${address} ${hostKey.public}`,
    initPid,
    root,
    changes,
    gateway,
    refusedDownloads: proxy.refused,
    run: (command, options = {}) => runOverSsh({ address, user: USER, privateKey, hostKey: hostKey.public, command, stdin: options.stdin ?? "" }),
  };
}

/** Does what cloud-init does on a real host, and configures this machine's sources of packages. */
function prepareRoot(root: string, about: { name: string; address: string; hostKey: string; publicKey: string; proxy: AptProxy }): void {
  const write = (file: string, text: string, mode = 0o644) => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text, { mode });
    fs.chmodSync(path.join(root, file), mode);
  };
  write("/etc/hostname", `${about.name}\n`);
  write("/etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${about.name}\n`);
  write("/etc/machine-id", "");
  // No name server, so that look-ups fail at once. Packages come by the proxy, which has an address.
  write("/etc/resolv.conf", "# no server\n");
  write("/etc/ssh/ssh_host_ed25519_key", about.hostKey, 0o600);
  write("/etc/ssh/sshd_config.d/test.conf", "HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nUseDNS no\nMaxStartups 50\n");
  execFileSync("chroot", [root, "useradd", "--create-home", "--shell", "/bin/bash", "--uid", "1000", USER]);
  write(`/etc/sudoers.d/90-cloud-init-users`, `${USER} ALL=(ALL) NOPASSWD:ALL\n`, 0o440);
  write(`/home/${USER}/.ssh/authorized_keys`, `${about.publicKey}\n`, 0o600);
  execFileSync("chroot", [root, "chown", "-R", `${USER}:${USER}`, `/home/${USER}/.ssh`]);
  fs.chmodSync(path.join(root, `/home/${USER}/.ssh`), 0o700);
  // Removes the Debian's own source and its lists. The host uses this machine's sources and has no lists yet.
  fs.rmSync(path.join(root, "etc/apt/sources.list"), { force: true });
  const lists = path.join(root, "var/lib/apt/lists");
  for (const list of fs.readdirSync(lists)) fs.rmSync(path.join(lists, list), { recursive: true });
  fs.utimesSync(lists, 0, 0);
  for (const entry of ["sources.list", "sources.list.d", "trusted.gpg", "trusted.gpg.d", "keyrings", "auth.conf.d"]) {
    const source = path.join("/etc/apt", entry);
    if (fs.existsSync(source)) fs.cpSync(source, path.join(root, "etc/apt", entry), { recursive: true });
  }
  for (const name of fs.readdirSync("/etc/apt/apt.conf.d")) {
    const text = fs.readFileSync(path.join("/etc/apt/apt.conf.d", name), "utf8");
    if (/^\s*Acquire::/m.test(text)) write(`/etc/apt/apt.conf.d/${name}`, text);
  }
  write("/etc/apt/apt.conf.d/zz-test-proxy", `Acquire::http::Proxy "${about.proxy.url}";\n`);
}

async function untilReady(host: RealHost): Promise<void> {
  await until(`${host.name} answers over SSH and has booted`, async () => {
    try {
      const { stdout } = await host.run("systemctl is-system-running");
      return ["running", "degraded"].includes(stdout.trim()) ? true : undefined;
    } catch (error) {
      if (/ECONNREFUSED|EHOSTUNREACH|ETIMEDOUT|ECONNRESET|handshake|lost/i.test(asError(error).message)) return undefined;
      throw error;
    }
  });
}

/** @returns the first answer that is not undefined */
async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + BOOT_LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

/** Ends the connections that OpenSSH clients keep open for the next command. */
function endKeptConnections(folder: string): void {
  if (!fs.existsSync(folder)) return;
  for (const socket of fs.readdirSync(folder)) spawnSync("ssh", ["-o", `ControlPath=${path.join(folder, socket)}`, "-O", "exit", "host"], { stdio: "ignore" });
}

function cgroupRoot(): string {
  return CGROUPS.find((candidate) => fs.existsSync(path.join(candidate, "cgroup.procs"))) ?? "/sys/fs/cgroup";
}

/** Removes the cgroups of all hosts of a folder. */
async function removeCgroups(folder: string): Promise<void> {
  for (const name of fs.readdirSync(cgroupRoot())) if (name.startsWith(`${path.basename(folder)}-`)) await removeCgroup(path.join(cgroupRoot(), name));
}

/** Waits until the cgroup's processes have ended and it can be removed. */
async function removeCgroup(cgroup: string): Promise<void> {
  await until(`${cgroup} is empty`, () => {
    if (!fs.existsSync(cgroup)) return true;
    // A failure means that some groups still have processes; the loop tries again.
    spawnSync("find", [cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], { stdio: "ignore" });
    return fs.existsSync(cgroup) ? undefined : true;
  });
}
