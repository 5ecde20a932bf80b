import { fail, type HostCommand, type Invocation, ok, parseFlags, unmodelled } from "../command";
import { enableUnit, startUnit } from "../units";

/** What the distribution's archive has, as far as the lab knows it: versions of Ubuntu 24.04, units that a package brings, and the daemon's path. */
const ARCHIVE: Record<string, { version: string; unit?: string; binary?: string }> = {
  "apt-transport-https": { version: "2.8.3" },
  "bash-completion": { version: "1:2.11-8" },
  "ca-certificates": { version: "20240203" },
  conntrack: { version: "1:1.4.8-1ubuntu1" },
  curl: { version: "8.5.0-2ubuntu10.6" },
  dnsmasq: { version: "2.90-2ubuntu0.1", unit: "dnsmasq", binary: "/usr/sbin/dnsmasq" },
  e2fsprogs: { version: "1.47.0-2.4~exp1ubuntu4.1" },
  gnupg: { version: "2.4.4-2ubuntu17.2" },
  haproxy: { version: "2.8.5-1ubuntu3.3", unit: "haproxy", binary: "/usr/sbin/haproxy" },
  htop: { version: "3.3.0-4build1" },
  jq: { version: "1.7.1-3build1" },
  "nfs-common": { version: "1:2.6.4-3ubuntu5.1" },
  "open-iscsi": { version: "2.1.9-3ubuntu5.2", unit: "iscsid", binary: "/usr/sbin/iscsid" },
  python3: { version: "3.12.3-0ubuntu2" },
  "python3-venv": { version: "3.12.3-0ubuntu2" },
  "qemu-guest-agent": { version: "1:8.2.2+ds-0ubuntu1.7", unit: "qemu-guest-agent", binary: "/usr/sbin/qemu-ga" },
  socat: { version: "1.8.0.0-4build3" },
  ufw: { version: "0.36.2-6", unit: "ufw", binary: "/usr/lib/ufw/ufw-init" },
  "unattended-upgrades": { version: "2.9.1+nmu4ubuntu1", unit: "unattended-upgrades", binary: "/usr/share/unattended-upgrades/unattended-upgrade-shutdown" },
  "util-linux": { version: "2.39.3-9ubuntu6.3" },
  vim: { version: "2:9.1.0016-1ubuntu7.8" },
};

/** Installed in the image. */
const IMAGE_PACKAGES = ["ca-certificates", "curl", "e2fsprogs", "gnupg", "python3", "qemu-guest-agent", "util-linux"] as const;

export const imagePackages = (): Map<string, string> => new Map(IMAGE_PACKAGES.map((name) => [name, ARCHIVE[name]?.version ?? "1"]));

/** Daemon and unit file that a package puts on the disk. */
export async function unpack(machine: Invocation["machine"], name: string): Promise<void> {
  const known = ARCHIVE[name];
  if (known?.binary !== undefined) await machine.disk.install(known.binary, `#!/bin/sh\nlab-binary ${name} ${known.version} "$@"\n`, 0o755);
  if (known?.unit === undefined) return;
  const text = `[Unit]\nDescription=${name}\n\n[Service]\nExecStart=${known.binary}\n\n[Install]\nWantedBy=multi-user.target\n`;
  await machine.disk.install(`/usr/lib/systemd/system/${known.unit}.service`, text);
}

async function installOne(run: Invocation, name: string): Promise<void> {
  const { machine } = run;
  machine.packages.set(name, ARCHIVE[name]?.version ?? "1");
  machine.effects += 1;
  await unpack(machine, name);
  const unit = ARCHIVE[name]?.unit;
  if (unit === undefined) return;
  await enableUnit(machine, unit);
  await startUnit(machine, unit);
}

const LOCK =
  "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?";

const aptGet: HostCommand = async (run) => {
  const { machine } = run;
  const bare = ["q", "y", "yes", "qq", "quiet", "no-install-recommends", "assume-yes", "allow-downgrades", "purge", "auto-remove"];
  const { rest, unknown } = parseFlags(run.args, ["o", "option", "t"], bare);
  if (unknown) return unmodelled(run, "apt-get", unknown);
  const [action, ...names] = rest;
  if (run.who.uid !== 0)
    return fail(
      "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?",
      100,
    );
  if (machine.ctx.faults.take("apt.lock-held", machine.spec.hostname)) return fail(LOCK, 100);
  if (action === "update") {
    if (machine.ctx.faults.take("apt.update-failed", machine.spec.hostname)) {
      return fail("E: Failed to fetch http://archive.ubuntu.com/ubuntu/dists/noble/InRelease  Temporary failure resolving 'archive.ubuntu.com'", 100);
    }
    return ok();
  }
  if (action === "install") return aptInstall(run, names);
  if (action === "remove" || action === "purge") return aptRemove(run, names);
  if (action === "clean" || action === "autoremove" || action === "autoclean") return ok();
  return unmodelled(run, "apt-get", action ?? "no action");
};

async function aptInstall(run: Invocation, names: string[]) {
  const { machine } = run;
  const wanted = names.map((name) => name.split("=")[0] ?? name);
  const missing = wanted.find((name) => ARCHIVE[name] === undefined);
  if (missing !== undefined) {
    machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `apt-get install ${missing}: the lab's archive does not have it` });
    return fail(`E: Unable to locate package ${missing}`, 100);
  }
  const fresh = wanted.filter((name) => !machine.packages.has(name));
  if (fresh.length > 0) await machine.ctx.clock.sleep(machine.ctx.latency.of("apt.install"));
  for (const name of fresh) await installOne(run, name);
  const lines = wanted.map((name) =>
    fresh.includes(name) ? `Setting up ${name} (${machine.packages.get(name)}) ...` : `${name} is already the newest version (${machine.packages.get(name)}).`,
  );
  return ok(`${lines.join("\n")}\n`);
}

async function aptRemove(run: Invocation, names: string[]) {
  for (const name of names) {
    if (!run.machine.packages.delete(name)) continue;
    run.machine.effects += 1;
    const known = ARCHIVE[name];
    if (known?.unit !== undefined) run.machine.units.delete(`${known.unit}.service`);
    for (const file of [known?.binary, known?.unit && `/usr/lib/systemd/system/${known.unit}.service`]) if (file) await run.machine.disk.remove(file);
  }
  return ok();
}

/** Names of the packages that are held, one a line: a part of dpkg's own status on a real host. */
const HELD = "/var/lib/dpkg/held";

const aptMark: HostCommand = async (run) => {
  const { machine } = run;
  const [action, ...names] = run.args;
  const held = new Set(((await machine.disk.read(HELD)) ?? "").split("\n").filter((name) => name !== ""));
  if (action === "showhold")
    return ok(
      [...held]
        .sort()
        .map((name) => `${name}\n`)
        .join(""),
    );
  if (action !== "hold" && action !== "unhold") return unmodelled(run, "apt-mark", action ?? "no action");
  if (run.who.uid !== 0) return fail("E: Unable to locate dpkg's status file, are you root?", 100);
  const missing = names.find((name) => ARCHIVE[name] === undefined);
  if (missing !== undefined) return fail(`E: Unable to locate package ${missing}\nE: No packages found`, 100);
  const lines = names.map((name) => {
    if (action === "hold") return held.has(name) ? `${name} was already set on hold.\n` : `${name} set on hold.\n`;
    return held.has(name) ? `Canceled hold on ${name}.\n` : `${name} was already not on hold.\n`;
  });
  for (const name of names)
    if (action === "hold") held.add(name);
    else held.delete(name);
  await machine.disk.install(HELD, [...held].map((name) => `${name}\n`).join(""));
  return ok(lines.join(""));
};

const dpkgQuery: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["f", "showformat"], ["W", "show", "s", "status", "l"]);
  if (unknown || flags.has("l")) return unmodelled(run, "dpkg-query", unknown ?? "-l");
  // dpkg takes `-f=FORMAT` too.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders
  const pattern = (flags.get("f") ?? flags.get("showformat"))?.[0]?.replace(/^=/, "") ?? "${Package}\t${Version}\n";
  let stdout = "";
  for (const name of rest) {
    const version = run.machine.packages.get(name);
    if (version === undefined) return { stdout, stderr: `dpkg-query: no packages found matching ${name}\n`, exitCode: 1 };
    const fields: Record<string, string> = { Package: name, Version: version, "db:Status-Status": "installed", Status: "install ok installed" };
    stdout += pattern
      .replace(/\$\{([^}]+)\}/g, (whole, key: string) => fields[key] ?? whole)
      .replaceAll("\\n", "\n")
      .replaceAll("\\t", "\t");
  }
  return ok(stdout);
};

const dpkg: HostCommand = async (run) => {
  if (run.args[0] === "--print-architecture") return ok("amd64\n");
  if (run.args[0] === "-s" && run.args[1] !== undefined) {
    const version = run.machine.packages.get(run.args[1]);
    if (version === undefined) return fail(`dpkg-query: package '${run.args[1]}' is not installed and no information is available`);
    return ok(`Package: ${run.args[1]}\nStatus: install ok installed\nVersion: ${version}\n`);
  }
  return unmodelled(run, "dpkg", run.args.join(" "));
};

export const PACKAGE_COMMANDS: Record<string, HostCommand> = { "apt-get": aptGet, "apt-mark": aptMark, "dpkg-query": dpkgQuery, dpkg };
