/**
 * Ports of tests. Servers of our own listen on port 0 and keep what they get. A port that is taken and given back comes again, to
 * another test too: these two are for what cannot listen on 0.
 */
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { isProcessAlive } from "../../common/processes";

/** Nothing listens here, and no system gives it to who asks for any port: it is reserved for the administrator and no service has it. */
export const CLOSED_PORT = 4;

/** Below what Linux (32768), macOS and BSD (49152) give to who asks for any port. */
const RANGE = [15_000, 30_000] as const;
/** One a user: what root left there, another user could neither take over nor clear. */
const claims = path.join(os.tmpdir(), `homelab-test-ports-${os.userInfo().uid}`);

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** Whether it is this process's from now on; the claim of one that is gone is taken over. */
function claim(port: number): boolean {
  fs.mkdirSync(claims, { recursive: true, mode: 0o700 });
  const file = path.join(claims, String(port));
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    // Claimed: another port does as well. A dead claim is cleared for who comes next.
    const owner = Number(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : Number.NaN);
    if (owner > 0 && !isProcessAlive(owner)) fs.rmSync(file, { force: true });
    return false;
  }
}

/** A port on 127.0.0.1 for a program that cannot be told to take any; no other call gets it while this process lives. */
export async function takePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(...RANGE);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`no port between ${RANGE.join(" and ")} is free`);
}
