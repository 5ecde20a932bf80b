/**
 * A folder for plaintext that does not outlive this process. It is in memory where the system has a memory file system, and only this
 * user can read it. A second process removes it as soon as this one ends, however it ends: it waits on a pipe whose other end only this
 * process holds. If both were killed at once, the next run removes the folder.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { spawn } from "../common/children";
import { HomelabError } from "../common/errors";
import { isProcessAlive } from "../common/processes";

const PREFIX = "homelab-edit-";
/** Memory file systems of Linux. Elsewhere the temporary folder has to do. */
const IN_MEMORY = "/dev/shm";

function place(): string {
  try {
    fs.accessSync(IN_MEMORY, fs.constants.W_OK | fs.constants.X_OK);
    return IN_MEMORY;
  } catch {
    // Not Linux, or not writable.
    return os.tmpdir();
  }
}

/** Removes what earlier runs of this user left. */
function sweep(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const pid = /^homelab-edit-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isProcessAlive(Number(pid))) continue;
    if (fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false })?.uid === process.getuid?.())
      fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function startCleaner(folder: string) {
  try {
    return spawn("/bin/sh", ["-c", 'trap "" INT TERM HUP QUIT; echo ready; read -r _; rm -rf -- "$1"', "sh", folder], {
      // A session of its own: what ends our terminal does not end it.
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
      cwd: "/",
    });
  } catch (thrown) {
    fs.rmdirSync(folder);
    throw thrown;
  }
}

/** Runs work in the folder. Nothing of it is left when the returned promise is settled. */
export async function inPrivateFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const above = place();
  sweep(above);
  const folder = fs.mkdtempSync(path.join(above, `${PREFIX}${process.pid}-`));
  fs.chmodSync(folder, 0o700);
  const cleaner = startCleaner(folder);
  try {
    // Nothing is written before the process that removes it runs.
    await new Promise<void>((resolve, reject) => {
      cleaner.stdout.once("data", () => resolve());
      cleaner.once("error", reject);
      cleaner.once("close", () => reject(new Error("it ended")));
    }).catch((cause: unknown) => {
      throw new HomelabError("E_PRIVATE_FOLDER", "the process that removes the plaintext cannot be started", { cause, hint: "check that /bin/sh exists" });
    });
    return await work(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    const ended = new Promise((resolve) => cleaner.once("close", resolve));
    cleaner.stdin.end("\n");
    if (cleaner.exitCode === null && cleaner.pid !== undefined) await ended;
  }
}
