import { absolute, fail, type HostCommand, type Invocation, ok, parseFlags, splitOnce, unmodelled, withoutArguments } from "../command";
import { log } from "../machine";

const KERNEL = "6.8.0-71-generic";
/** Modules of the image's kernel that may be loaded. */
const MODULES = new Set(
  "br_netfilter dm_crypt dm_snapshot ip_tables ip_vs ip_vs_rr ip_vs_sh ip_vs_wrr iscsi_tcp nf_conntrack nfs nvme_tcp overlay rbd uio_pci_generic vfio_pci vxlan wireguard xt_comment".split(
    " ",
  ),
);

const uname: HostCommand = async (run) => {
  const { flags, unknown } = parseFlags(run.args, [], ["s", "n", "r", "m", "a", "o", "v", "p"]);
  if (unknown) return unmodelled(run, "uname", unknown);
  const parts: Record<string, string> = {
    s: "Linux",
    n: run.machine.hostname,
    r: KERNEL,
    v: "#71-Ubuntu SMP PREEMPT_DYNAMIC",
    m: "x86_64",
    p: "x86_64",
    o: "GNU/Linux",
  };
  const wanted = flags.has("a")
    ? ["s", "n", "r", "v", "m", "p", "o"]
    : flags.size === 0
      ? ["s"]
      : ["s", "n", "r", "v", "m", "p", "o"].filter((f) => flags.has(f));
  return ok(`${wanted.map((f) => parts[f]).join(" ")}\n`);
};

async function setHostname(run: Invocation, name: string) {
  if (run.who.uid !== 0) return fail("hostname: you must be root to change the host name");
  if (run.machine.hostname === name && (await run.machine.disk.read("/etc/hostname")) === `${name}\n`) return ok();
  run.machine.hostname = name;
  await run.machine.disk.install("/etc/hostname", `${name}\n`);
  return ok();
}

const hostname: HostCommand = async (run) => {
  const [first, ...more] = run.args;
  if (more.length > 0) return unmodelled(run, "hostname", more.join(" "));
  if (first === "-I" || first === "--all-ip-addresses") return ok(`${run.machine.spec.address} \n`);
  if (first === "-i") return ok(`${run.machine.spec.address}\n`);
  if (first === undefined || first === "-s" || first === "-f" || first === "--fqdn") return ok(`${run.machine.hostname}\n`);
  return first.startsWith("-") ? unmodelled(run, "hostname", first) : setHostname(run, first);
};

const hostnamectl: HostCommand = async (run) => {
  const [verb, name, ...more] = run.args;
  const strange = more[0] ?? (verb === "set-hostname" || verb === "hostname" ? undefined : name);
  if (strange !== undefined) return unmodelled(run, "hostnamectl", strange);
  if ((verb === "set-hostname" || verb === "hostname") && name !== undefined) return setHostname(run, name);
  if (verb === "hostname" || verb === "--static") return ok(`${run.machine.hostname}\n`);
  if (verb === undefined || verb === "status")
    return ok(
      ` Static hostname: ${run.machine.hostname}\n  Virtualization: kvm\nOperating System: Ubuntu 24.04.2 LTS\n          Kernel: Linux ${KERNEL}\n    Architecture: x86-64\n`,
    );
  return unmodelled(run, "hostnamectl", verb);
};

const ip: HostCommand = async (run) => {
  const { spec } = run.machine;
  const words = run.args.filter((a) => !a.startsWith("-"));
  const flags = run.args.filter((a) => a.startsWith("-"));
  const unknown = flags.find((f) => !["-4", "-o", "-br", "-brief", "-j", "-json"].includes(f));
  const isKnown = /^((a|addr|address)( show| list)?( (dev )?eth0)?|(r|route)( show| list)?( default)?|(r|route) get [\d.]+)$/.test(words.join(" "));
  if (unknown || !isKnown) return unmodelled(run, "ip", unknown ?? words.join(" "));
  const cidr = `${spec.address}/${spec.prefix}`;
  if (words[0]?.startsWith("a")) {
    if (flags.some((f) => f.startsWith("-j"))) {
      return ok(
        `${JSON.stringify([{ ifname: "eth0", operstate: "UP", addr_info: [{ family: "inet", local: spec.address, prefixlen: spec.prefix, scope: "global" }] }])}\n`,
      );
    }
    if (flags.includes("-o")) return ok(`1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet ${cidr} scope global eth0\n`);
    if (flags.some((f) => f.startsWith("-br"))) return ok(`lo               UNKNOWN        127.0.0.1/8 \neth0             UP             ${cidr} \n`);
    return ok(
      `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n    inet ${cidr} scope global eth0\n`,
    );
  }
  if (words[0]?.startsWith("r")) {
    const gateway = spec.gateway ?? "0.0.0.0";
    return ok(
      words[1] === "get"
        ? `${words[2] ?? ""} via ${gateway} dev eth0 src ${spec.address} uid ${run.who.uid}\n`
        : `default via ${gateway} dev eth0 proto static\n`,
    );
  }
  return unmodelled(run, "ip", words.join(" "));
};

const modprobe: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["a", "r", "q", "v"]);
  if (unknown) return unmodelled(run, "modprobe", unknown);
  for (const module of rest) {
    const name = module.replaceAll("-", "_");
    if (!MODULES.has(name)) return fail(`modprobe: FATAL: Module ${module} not found in directory /lib/modules/${KERNEL}`);
    if (run.who.uid !== 0) return fail(`modprobe: ERROR: could not insert '${name}': Operation not permitted`);
    const { modules } = run.machine.kernel;
    if (modules.has(name) === flags.has("r")) run.machine.effects += 1;
    if (flags.has("r")) modules.delete(name);
    else modules.add(name);
  }
  return ok();
};

const lsmod: HostCommand = async (run) =>
  ok(
    `Module                  Size  Used by\n${[...run.machine.kernel.modules]
      .sort()
      .map((m) => `${m.padEnd(22)} 32768  0\n`)
      .join("")}`,
  );

const DEFAULT_SYSCTLS: Record<string, string> = {
  "net.ipv4.ip_forward": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.bridge.bridge-nf-call-iptables": "1",
  "net.bridge.bridge-nf-call-ip6tables": "1",
  "fs.inotify.max_user_instances": "128",
  "fs.inotify.max_user_watches": "122425",
  "vm.overcommit_memory": "0",
  "vm.panic_on_oom": "0",
  "vm.max_map_count": "1048576",
  "vm.swappiness": "60",
  "kernel.panic": "0",
  "kernel.panic_on_oops": "0",
};

function setSysctl(run: Invocation, key: string, value: string): string | undefined {
  if (DEFAULT_SYSCTLS[key] === undefined) return `sysctl: cannot stat /proc/sys/${key.replaceAll(".", "/")}: No such file or directory`;
  if (run.who.uid !== 0) return `sysctl: permission denied on key "${key}"`;
  if ((run.machine.kernel.sysctls.get(key) ?? DEFAULT_SYSCTLS[key]) !== value) run.machine.effects += 1;
  run.machine.kernel.sysctls.set(key, value);
  return undefined;
}

const sysctl: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["p", "load"], ["n", "w", "q", "system", "e", "values", "write"]);
  if (unknown) return unmodelled(run, "sysctl", unknown);
  const files = flags.has("system") ? await sysctlFiles(run) : (flags.get("p") ?? flags.get("load") ?? []).map((f) => f || "/etc/sysctl.conf");
  const assignments = [...rest];
  for (const file of files) {
    const text = await run.machine.disk.read(absolute(run, file));
    if (text === undefined) return fail(`sysctl: cannot open "${file}": No such file or directory`);
    assignments.push(
      ...text
        .split("\n")
        .map((l) => l.trim())
        .filter((l) => l !== "" && !/^[#;]/.test(l)),
    );
  }
  let stdout = "";
  for (const assignment of assignments) {
    const [rawKey, rawValue] = splitOnce(assignment, "=");
    const key = rawKey.trim().replaceAll("/", ".");
    if (rawValue === undefined) {
      const value = run.machine.kernel.sysctls.get(key) ?? DEFAULT_SYSCTLS[key];
      if (value === undefined) return fail(`sysctl: cannot stat /proc/sys/${key.replaceAll(".", "/")}: No such file or directory`);
      stdout += flags.has("n") || flags.has("values") ? `${value}\n` : `${key} = ${value}\n`;
      continue;
    }
    const problem = setSysctl(run, key, rawValue.trim());
    if (problem !== undefined) return fail(problem);
    if (!flags.has("q")) stdout += `${key} = ${rawValue.trim()}\n`;
  }
  return ok(stdout);
};

async function sysctlFiles(run: Invocation): Promise<string[]> {
  const { inner } = run.machine.disk;
  if (!(await inner.exists("/etc/sysctl.d"))) return [];
  return (await inner.readdir("/etc/sysctl.d"))
    .filter((f) => f.endsWith(".conf"))
    .sort()
    .map((f) => `/etc/sysctl.d/${f}`);
}

const swapoff: HostCommand = async (run) => {
  if (run.args.join(" ") !== "-a") return unmodelled(run, "swapoff", run.args.join(" ") || "no argument");
  if (run.who.uid !== 0) return fail("swapoff: Not superuser.");
  if (run.machine.kernel.swapOn) run.machine.effects += 1;
  run.machine.kernel.swapOn = false;
  return ok();
};

const swapon: HostCommand = async (run) =>
  run.args.length > 0 && run.args.every((a) => ["--show", "--show=NAME", "--noheadings"].includes(a))
    ? ok(run.machine.kernel.swapOn ? "/swap.img\n" : "")
    : unmodelled(run, "swapon", run.args.join(" "));

/** In KiB, of the root file system alone. */
const df: HostCommand = async (run) => {
  const { rest, unknown } = parseFlags(run.args, [], ["k", "P"]);
  const strange = unknown ?? rest.find((each) => each !== "/");
  if (strange !== undefined) return unmodelled(run, "df", strange);
  const gib = run.machine.spec.diskGiB;
  const used = Math.min(2, gib);
  return ok(
    `Filesystem     1K-blocks    Used Available Use% Mounted on\n/dev/sda1      ${gib * 1048576} ${used * 1048576} ${(gib - used) * 1048576}  ${Math.ceil((used / gib) * 100)}% /\n`,
  );
};

const lsblk: HostCommand = async (run) =>
  ok(
    `NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\nsda      8:0    0 ${run.machine.spec.diskGiB}G  0 disk \n└─sda1   8:1    0 ${run.machine.spec.diskGiB - 1}G  0 part /\n`,
  );

const free: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["k", "m", "g"]);
  if (unknown || rest.length > 0) return unmodelled(run, "free", unknown ?? rest.join(" "));
  const scale = flags.has("m") ? 1 : flags.has("g") ? 1 / 1024 : 1024;
  const total = Math.floor(run.machine.spec.memoryMiB * scale);
  return ok(
    `               total        used        free      shared  buff/cache   available\nMem: ${total} ${Math.floor(total / 8)} ${total - Math.floor(total / 8)} 0 0 ${total - Math.floor(total / 8)}\nSwap: 0 0 0\n`,
  );
};

const cloudInit: HostCommand = async (run) => {
  const [verb, ...flags] = run.args;
  const strange = flags.find((flag) => verb === "--version" || !["--long", "--wait", "-l", "-w"].includes(flag));
  if (strange !== undefined) return unmodelled(run, "cloud-init", strange);
  if (verb === "--version") return ok("/usr/bin/cloud-init 24.4.1-0ubuntu0~24.04.3\n");
  if (verb !== "status") return unmodelled(run, "cloud-init", run.args.join(" "));
  return ok(
    flags.includes("--long") || flags.includes("-l") ? "status: done\nextended_status: done\nboot_status_code: enabled-by-generator\n" : "status: done\n",
  );
};

const timedatectl: HostCommand = async (run) => {
  const [verb, value, ...more] = run.args;
  if (verb !== "show" && more.length + (verb === "set-timezone" || value === undefined ? 0 : 1) > 0) return unmodelled(run, "timedatectl", run.args.join(" "));
  const zone = ((await run.machine.disk.read("/etc/timezone")) ?? "Etc/UTC").trim();
  if (verb === "set-timezone" && value !== undefined) {
    if (run.who.uid !== 0) return fail("Failed to set time zone: Interactive authentication required.");
    if (value !== zone) await run.machine.disk.install("/etc/timezone", `${value}\n`);
    return ok();
  }
  if (verb === "show") {
    const values: Record<string, string> = { Timezone: zone, NTP: "yes", NTPSynchronized: "yes" };
    const { flags, rest, unknown } = parseFlags(run.args.slice(1), ["p", "property"], ["value"]);
    const names = flags.get("p") ?? flags.get("property") ?? Object.keys(values);
    const strange = unknown ?? rest[0] ?? names.find((name) => values[name] === undefined);
    if (strange !== undefined) return unmodelled(run, "timedatectl show", strange);
    return ok(names.map((n) => `${flags.has("value") ? "" : `${n}=`}${values[n] ?? ""}\n`).join(""));
  }
  if (verb === undefined || verb === "status")
    return ok(`                Time zone: ${zone} (UTC, +0000)\nSystem clock synchronized: yes\n              NTP service: active\n`);
  return unmodelled(run, "timedatectl", verb);
};

const journalctl: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["u", "unit", "n", "lines"], ["no-pager", "e", "x", "q", "b"]);
  if (unknown || rest.length > 0) return unmodelled(run, "journalctl", unknown ?? rest.join(" "));
  const unit = (flags.get("u") ?? flags.get("unit"))?.[0];
  const lines = Number((flags.get("n") ?? flags.get("lines"))?.[0] ?? 1000);
  const found = run.machine.journal.filter((l) => unit === undefined || l.unit.replace(/\.service$/, "") === unit.replace(/\.service$/, "")).slice(-lines);
  if (found.length === 0) return ok("-- No entries --\n");
  return ok(found.map((l) => `${new Date(l.at).toISOString()} ${run.machine.hostname} ${l.unit.replace(/\.service$/, "")}: ${l.text}\n`).join(""));
};

const logger: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, ["t", "p"], ["i"]);
  if (unknown) return unmodelled(run, "logger", unknown);
  log(run.machine, flags.get("t")?.[0] ?? run.who.name, rest.join(" "));
  return ok();
};

/** Listening TCP ports. */
const ss: HostCommand = async (run) => {
  const { flags, rest, unknown } = parseFlags(run.args, [], ["t", "l", "n"]);
  if (unknown || rest.length > 0 || !(flags.has("t") && flags.has("l") && flags.has("n")))
    return unmodelled(run, "ss", unknown ?? (rest.join(" ") || "anything but -tln"));
  const ports = [22, ...(run.machine.cluster ? [6443] : [])];
  return ok(
    `State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\n${ports.map((p) => `LISTEN 0      128          0.0.0.0:${p}       0.0.0.0:*\n`).join("")}`,
  );
};

/** No process of a lab's host outlives its service. */
const pkill: HostCommand = async (run) => {
  const { rest, unknown } = parseFlags(
    run.args.filter((arg) => arg !== "-KILL"),
    [],
    ["f"],
  );
  return unknown || rest.length !== 1 ? unmodelled(run, "pkill", unknown ?? run.args.join(" ")) : { ...ok(), exitCode: 1 };
};

export const SYSTEM_COMMANDS: Record<string, HostCommand> = {
  uname,
  hostname,
  hostnamectl,
  ip,
  modprobe,
  lsmod: withoutArguments("lsmod", lsmod),
  sysctl,
  swapoff,
  swapon,
  df,
  lsblk: withoutArguments("lsblk", lsblk),
  free,
  "cloud-init": cloudInit,
  timedatectl,
  journalctl,
  pkill,
  logger,
  ss,
  arch: withoutArguments("arch", async () => ok("x86_64\n")),
  nproc: withoutArguments("nproc", async (run) => ok(`${run.machine.spec.cores}\n`)),
  uptime: withoutArguments("uptime", async (run) => ok(` up ${Math.floor((run.machine.ctx.clock.now() - run.machine.kernel.bootedAt) / 60000)} min\n`)),
};
