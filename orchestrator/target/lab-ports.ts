/** Ports of the lab: those of the previous start, since resources that were built in it have the bastion's address among their inputs. */
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { z } from "zod";
import { HomelabError, systemErrorCode } from "../../common/errors";
import { writeFileAtomic } from "../../common/files";

const portsSchema = z.object({ proxy: z.number(), bastion: z.number(), control: z.number() });
export type LabPorts = z.infer<typeof portsSchema>;

/** For a first start without flags (docs/lab.md). */
const DEFAULTS: LabPorts = { proxy: 18_080, bastion: 18_022, control: 18_081 };
const NAMES = ["proxy", "bastion", "control"] as const;

const fileIn = (dir: string): string => path.join(dir, "ports.json");

function remembered(dir: string): Partial<LabPorts> {
  try {
    return portsSchema.parse(JSON.parse(fs.readFileSync(fileIn(dir), "utf8")));
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return {};
    throw new HomelabError("E_LAB_FILE", `${fileIn(dir)} is not a file of the lab`, {
      cause,
      subject: fileIn(dir),
      hint: `remove it, or give the ports by flags`,
    });
  }
}

/** Keeps the ports of a lab that has started, from its own file. */
export function rememberPorts(dir: string, { proxy, bastion, control }: { proxy: string; bastion: { port: number }; control: string }): void {
  const ports: LabPorts = { proxy: Number(new URL(proxy).port), bastion: bastion.port, control: Number(new URL(control).port) };
  writeFileAtomic(fileIn(dir), `${JSON.stringify(ports)}\n`);
}

function portOf(text: string, flag: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new HomelabError("E_USAGE", `${flag} takes a port (0: any that is free), not ${text}`);
  return port;
}

/** Whether nobody listens there; 0 is always free. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", (cause) => (systemErrorCode(cause) === "EADDRINUSE" ? resolve(false) : reject(cause)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * @param given flags, where they were given
 * @throws HomelabError E_LAB_PORTS, with every port that is in use
 */
export async function choosePorts(dir: string, given: Partial<Record<keyof LabPorts, string>>): Promise<LabPorts> {
  const before = remembered(dir);
  const ports = Object.fromEntries(
    NAMES.map((name) => [name, given[name] === undefined ? (before[name] ?? DEFAULTS[name]) : portOf(given[name], `--${name}-port`)]),
  );
  const chosen = portsSchema.parse(ports);
  const taken: (keyof LabPorts)[] = [];
  for (const name of NAMES) if (!(await isFree(chosen[name]))) taken.push(name);
  if (taken.length === 0) return chosen;
  throw new HomelabError("E_LAB_PORTS", `in use by other programs: ${taken.map((name) => `port ${chosen[name]} (${name})`).join(", ")}`, {
    subject: dir,
    hint: `end what uses them, or give others: ${taken.map((name) => `--${name}-port N`).join(" ")} (0: any that is free). A lab in which something is built needs its bastion's port again`,
  });
}
