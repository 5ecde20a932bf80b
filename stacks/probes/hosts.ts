/** The hosts that are built: whether SSH opens, their clocks, and the room on their disks. One session each. */
import { openSsh, type SshTarget } from "../../components/hosts/ssh-session";
import type { InventoryHost } from "../outputs/inventory";
import { clockFinding, type Finding, ok, orWrong, roomFinding, wrong } from "./finding";

export interface ProbedHost {
  name: string;
  /** Default 22. */
  port?: number | undefined;
  host: InventoryHost;
}

const CONNECT_MS = 20_000;
const COMMAND_MS = 20_000;
/** Seconds since the epoch; then the root file system, in KiB, as POSIX prints it. */
const COMMAND = "date +%s && df -k -P / | tail -n 1";

/** What the command printed: seconds, bytes in all, bytes free. @returns undefined where it is not that */
export function readAnswer(stdout: string): { seconds: number; total: number; free: number } | undefined {
  const found = /^(\d+)\n\S+\s+(\d+)\s+\d+\s+(\d+)\s+\d+%\s+\S+\s*$/.exec(stdout);
  return found === null ? undefined : { seconds: Number(found[1]), total: Number(found[2]) * 1024, free: Number(found[3]) * 1024 };
}

/** Never throws: a failure is a finding. */
export function probeHost({ name, port, host }: ProbedHost, access: Pick<SshTarget, "privateKey" | "bastion">, now: () => number): Promise<Finding[]> {
  const label = `host ${name}`;
  const hostKey = host.hostKey === "" ? undefined : host.hostKey;
  return orWrong(label, `look at ${name}'s console in Proxmox`, async () => {
    const session = await openSsh({ ...access, host: host.address, port, user: host.user, hostKey }, AbortSignal.timeout(CONNECT_MS));
    try {
      const { code, stdout, stderr } = await session.run(COMMAND, "", AbortSignal.timeout(COMMAND_MS));
      const here = now();
      const answer = code === 0 ? readAnswer(stdout) : undefined;
      if (answer === undefined) return [wrong(label, `does not run a simple command: ${stderr.trim() || `exit code ${code}`}`, "look at its console")];
      const found = [
        clockFinding(`clock of ${name}`, answer.seconds * 1_000, here),
        roomFinding(`disk of ${name}`, answer.free, answer.total, "make room there: journalctl --vacuum-size=200M, old images, or a larger disk (docs/vms.md)"),
      ];
      return [ok(label, `${host.address} opens`), ...found.filter(({ verdict }) => verdict !== "ok")];
    } finally {
      session.close();
    }
  });
}
