import { ARCHIVE, isOffered, unpack, unsignedSource } from "../archive";
import { fail, type HostCommand, type Invocation, ok, parseFlags, splitOnce, unmodelled } from "../command";
import { enableUnit, startUnit, withSuffix } from "../units";

async function installOne(run: Invocation, name: string, version: string): Promise<void> {
  const { machine } = run;
  const known = ARCHIVE[name];
  machine.packages.set(name, version);
  machine.effects += 1;
  await unpack(machine, name);
  const unit = known?.unit;
  if (unit === undefined || known?.keepsStill === true) return;
  await enableUnit(machine, unit);
  await startUnit(machine, unit);
}

const LOCK =
  "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?";

/** Options that change nothing in the lab: how long to wait for dpkg's lock, what to do about configuration files, and how to download. */
const OPTIONS = [/^DPkg::Lock::Timeout=\d+$/i, /^Dpkg::Options::=--force-conf(def|old|new)$/i, /^Acquire::(Retries|http::Timeout|https::Timeout)=\d+$/i];

const aptGet: HostCommand = async (run) => {
  const { machine } = run;
  const bare = [
    "q",
    "y",
    "yes",
    "qq",
    "quiet",
    "no-install-recommends",
    "no-upgrade",
    "assume-yes",
    "allow-downgrades",
    "purge",
    "auto-remove",
    "allow-change-held-packages",
  ];
  const { flags, rest, unknown } = parseFlags(run.args, ["o", "option"], bare);
  const option = [...(flags.get("o") ?? []), ...(flags.get("option") ?? [])].find((text) => !OPTIONS.some((known) => known.test(text)));
  if (unknown || option !== undefined) return unmodelled(run, "apt-get", unknown ?? `-o ${option}`);
  const [action, ...names] = rest;
  if (names.length > 0 && action !== undefined && !["install", "remove", "purge"].includes(action)) return unmodelled(run, "apt-get", rest.join(" "));
  if (run.who.uid !== 0)
    return fail(
      "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?",
      100,
    );
  if (machine.ctx.faults.take("apt.lock-held", machine.spec.hostname)) return fail(LOCK, 100);
  if (machine.ctx.faults.take("apt.interrupted", machine.spec.hostname))
    return fail("E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a' to correct the problem.", 100);
  if (action === "update") {
    if (machine.ctx.faults.take("apt.update-failed", machine.spec.hostname)) {
      return fail("E: Failed to fetch http://archive.ubuntu.com/ubuntu/dists/noble/InRelease  Temporary failure resolving 'archive.ubuntu.com'", 100);
    }
    const unsigned = await unsignedSource(run.machine);
    return unsigned === undefined ? ok() : fail(`E: The repository '${unsigned}' is not signed.`, 100);
  }
  if (action === "install") return aptInstall(run, names, flags);
  if (action === "remove" || action === "purge") return aptRemove(run, names);
  if (action === "clean" || action === "autoremove" || action === "autoclean") return ok();
  return unmodelled(run, "apt-get", action ?? "no action");
};

async function aptInstall(run: Invocation, names: string[], flags: Map<string, string[]>) {
  const { machine } = run;
  const held = new Set(((await machine.disk.read(HELD)) ?? "").split("\n"));
  const wanted: { name: string; version: string }[] = [];
  for (const word of names) {
    const [name, asked] = splitOnce(word, "=");
    const known = ARCHIVE[name];
    if (known === undefined || !(await isOffered(machine, name))) {
      // Tests ask for a name that no package has; any other unknown name is a gap of the lab.
      if (!name.startsWith("no-such-") && known === undefined)
        machine.ctx.unhandled.add({ system: "ssh", target: machine.spec.hostname, what: `apt-get install ${name}: the lab's archive does not have it` });
      return fail(`E: Unable to locate package ${name}`, 100);
    }
    const version = asked ?? machine.packages.get(name) ?? known.version;
    if (asked !== undefined && asked !== known.version && !known.older?.includes(asked)) return fail(`E: Version '${asked}' for '${name}' was not found`, 100);
    wanted.push({ name, version });
  }
  const fresh = wanted.filter(({ name, version }) => machine.packages.get(name) !== version);
  if (fresh.some(({ name }) => held.has(name)) && !flags.has("allow-change-held-packages"))
    return fail("E: Held packages were changed and -y was used without --allow-change-held-packages.", 100);
  if (fresh.length > 0 && machine.disk.isFullAt("/var/cache/apt/archives"))
    return fail("E: You don't have enough free space in /var/cache/apt/archives/.", 100);
  if (machine.ctx.faults.take("apt.install-failed", machine.spec.hostname) && fresh.length > 0)
    return fail(
      "E: Failed to fetch http://archive.ubuntu.com/ubuntu/pool/x.deb  Connection failed\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?",
      100,
    );
  if (fresh.length > 0) await machine.ctx.clock.sleep(machine.ctx.latency.of("apt.install"));
  for (const { name, version } of fresh) await installOne(run, name, version);
  const lines = wanted.map((each) =>
    fresh.includes(each) ? `Setting up ${each.name} (${each.version}) ...` : `${each.name} is already the newest version (${each.version}).`,
  );
  return ok(`${lines.join("\n")}\n`);
}

async function aptRemove(run: Invocation, names: string[]) {
  for (const name of names) {
    if (!run.machine.packages.delete(name)) continue;
    run.machine.effects += 1;
    const known = ARCHIVE[name];
    if (known?.unit !== undefined) run.machine.units.delete(withSuffix(known.unit));
    for (const file of [known?.binary, known?.unit && `/usr/lib/systemd/system/${withSuffix(known.unit)}`]) if (file) await run.machine.disk.remove(file);
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
  let stderr = "";
  for (const name of rest) {
    const version = run.machine.packages.get(name);
    if (version === undefined) {
      stderr += `dpkg-query: no packages found matching ${name}\n`;
      continue;
    }
    const fields: Record<string, string> = { Package: name, Version: version, "db:Status-Status": "installed", Status: "install ok installed" };
    stdout += pattern
      .replace(/\$\{([^}]+)\}/g, (whole, key: string) => fields[key] ?? whole)
      .replaceAll("\\n", "\n")
      .replaceAll("\\t", "\t");
  }
  return { stdout, stderr, exitCode: stderr === "" ? 0 : 1 };
};

const dpkg: HostCommand = async (run) => {
  if (run.args[0] === "--print-architecture") return ok("amd64\n");
  if (run.args[0] === "-s" && run.args[1] !== undefined) {
    const version = run.machine.packages.get(run.args[1]);
    if (version === undefined) return fail(`dpkg-query: package '${run.args[1]}' is not installed and no information is available`);
    return ok(`Package: ${run.args[1]}\nStatus: install ok installed\nVersion: ${version}\n`);
  }
  if (run.args[0] === "--configure" && run.args[1] === "-a")
    return run.who.uid === 0 ? ok() : fail("dpkg: error: requested operation requires superuser privilege", 2);
  return unmodelled(run, "dpkg", run.args.join(" "));
};

export const PACKAGE_COMMANDS: Record<string, HostCommand> = { "apt-get": aptGet, "apt-mark": aptMark, "dpkg-query": dpkgQuery, dpkg };
