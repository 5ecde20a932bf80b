/**
 * Which process something is, so that a number that was used again is not taken for it. Linux tells by /proc; macOS by `ps` and
 * `sysctl`; elsewhere nothing is known, and whoever asks must take the process for a living one.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isProcessAlive } from "./processes";

/** What a process may be known again by. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own terms; only compared. */
  startTime: string;
  /** Of this start of the machine. */
  bootId: string;
  /** The numbers of processes mean the same in one of these only: a container has its own. With that of time where it is not the first. */
  pidNamespace: string;
  /** Of the machine, hashed; "" where it has none. */
  machineId: string;
}

const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch {
    // The file does not exist or cannot be read: the value is unknown.
    return undefined;
  }
};

const ask = (command: string, args: string[]): string | undefined => {
  try {
    return execFileSync(command, args, {
      encoding: "utf8",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
};

const hashed = (text: string | undefined): string =>
  text === undefined || text === "" ? "" : createHash("sha256").update(`homelab ${text}`).digest("hex").slice(0, 32);

interface System {
  bootId(): string | undefined;
  pidNamespace(): string | undefined;
  machineId(): string;
  /** undefined: it is not known; null: it has ended, and waits for its parent to look. */
  startTime(pid: number): string | undefined | null;
  /** Whether a process of another namespace runs, such as one in a container; undefined: that cannot be seen from here. */
  runsElsewhere(other: ProcessIdentity): boolean | undefined;
}

/** That of the machine itself, from which all others are seen: PROC_PID_INIT_INO of Linux's include/linux/proc_ns.h. */
const FIRST_NAMESPACE = "pid:[4026531836]";
/** That in which times of start are the same for all: PROC_TIME_INIT_INO there. */
const FIRST_TIME_NAMESPACE = "time:[4026531834]";

/** undefined where the kernel has none of this kind. */
function namespaceOf(kind: "pid" | "time"): string | undefined {
  try {
    return fs.readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return undefined;
  }
}

const linux: System = {
  bootId: () => read("/proc/sys/kernel/random/boot_id"),
  pidNamespace: () => {
    const [pid, time = FIRST_TIME_NAMESPACE] = [namespaceOf("pid"), namespaceOf("time")];
    return pid === undefined || time === FIRST_TIME_NAMESPACE ? pid : `${pid} ${time}`;
  },
  machineId: () => hashed(read("/etc/machine-id")),
  startTime: (pid) => {
    const stat = read(`/proc/${pid}/stat`);
    // The name of the program, in brackets, may hold anything.
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields?.[0] === "Z" || fields?.[0] === "X") return null;
    return fields?.[19];
  },
  runsElsewhere: ({ pid, startTime, pidNamespace }) => {
    if (pidNamespace.includes("time:")) return undefined;
    // Where other users' processes are hidden (hidepid), the first of all is.
    if (linux.pidNamespace() !== FIRST_NAMESPACE || read("/proc/1/status") === undefined) return undefined;
    const candidates = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return candidates.some((name) => {
      // Its numbers, from this namespace's inwards.
      const numbers = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${name}/status`) ?? "")?.[1]?.split(/\s+/) ?? [];
      return numbers.length > 1 && numbers.at(-1) === String(pid) && linux.startTime(Number(name)) === startTime;
    });
  },
};

const macos: System = {
  // Setting the machine's clock also changes its boot time, but not the UUID of the boot session.
  bootId: () => ask("sysctl", ["-n", "kern.bootsessionuuid"]) || /sec = (\d+)/.exec(ask("sysctl", ["-n", "kern.boottime"]) ?? "")?.[1],
  pidNamespace: () => "macos",
  machineId: () => hashed(/"IOPlatformUUID" = "([^"]+)"/.exec(ask("ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]) ?? "")?.[1]),
  startTime: (pid) => {
    const [state = "", ...start] = (ask("ps", ["-o", "stat=,lstart=", "-p", String(pid)]) ?? "").split(/\s+/);
    return state.startsWith("Z") ? null : start.join(" ") || undefined;
  },
  runsElsewhere: () => undefined,
};

const SYSTEMS: Partial<Record<NodeJS.Platform, System>> = { linux, darwin: macos };

/** This process; undefined on a system that does not tell. */
export function ownIdentity(): ProcessIdentity | undefined {
  const system = SYSTEMS[process.platform];
  const [startTime, bootId, pidNamespace] = [system?.startTime(process.pid), system?.bootId(), system?.pidNamespace()];
  if (system === undefined || !startTime || !bootId || !pidNamespace) return undefined;
  return { pid: process.pid, startTime, bootId, pidNamespace, machineId: system.machineId() };
}

/**
 * Whether it is certain that a process of this machine has exited: the machine was started anew since, or the number
 * is free, or another process has it. One of a container is looked for among all of the machine's; false where that cannot be known,
 * such as from within another container.
 */
export function isSurelyGone(process_: ProcessIdentity): boolean {
  const own = ownIdentity();
  const system = SYSTEMS[process.platform];
  if (own === undefined || system === undefined) return false;
  if (process_.bootId !== own.bootId) return own.machineId !== "" && process_.machineId === own.machineId;
  if (process_.pidNamespace !== own.pidNamespace) return system.runsElsewhere(process_) === false;
  if (!isProcessAlive(process_.pid)) return true;
  const startTime = system.startTime(process_.pid);
  return startTime === null || (startTime !== undefined && startTime !== process_.startTime);
}

/** Whether it is certain that a process of this very machine runs. False where that cannot be known. */
export function isSurelyRunning(process_: ProcessIdentity): boolean {
  const own = ownIdentity();
  const isComparable = own !== undefined && process_.bootId === own.bootId && process_.pidNamespace === own.pidNamespace;
  return isComparable && SYSTEMS[process.platform]?.startTime(process_.pid) === process_.startTime;
}
