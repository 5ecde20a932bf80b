/**
 * Ports of tests. Our own servers listen on port 0 and keep the port that they get. A port that was used and freed may be given out again,
 * also to another test. CLOSED_PORT and takePort() are for programs that cannot listen on port 0.
 */
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";

/** A port on which nothing listens. No system gives it out as a free port, since it is privileged, and no service is assigned to it. */
export const CLOSED_PORT = 4;

/** Below the ports that Linux (from 32768), macOS and BSD (from 49152) give out as free ports. */
const RANGE = [15_000, 30_000] as const;
/** A folder for each user, since another user could neither take over nor delete root's files. */
const claims = path.join(os.tmpdir(), `homelab-test-ports-${os.userInfo().uid}`);

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** Claims a port for this process. @returns whether that succeeded */
function claim(port: number): boolean {
  fs.mkdirSync(claims, { recursive: true, mode: 0o700 });
  const file = path.join(claims, String(port));
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    // The port is claimed, so another one is tried. The claim of a process that has ended is deleted, for later callers.
    const owner = Number(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : Number.NaN);
    if (owner > 0 && !isProcessAlive(owner)) fs.rmSync(file, { force: true });
    return false;
  }
}

/** A port on 127.0.0.1 for a program that cannot listen on port 0. No other call gets it while this process runs. */
export async function takePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(...RANGE);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`no port between ${RANGE.join(" and ")} is free`);
}
