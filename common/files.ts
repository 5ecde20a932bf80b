import * as fs from "node:fs";
import * as path from "node:path";

let counter = 0;

/** Makes sure that files created, renamed or removed in the folder stay so after a power cut. */
export function syncFolder(dir: string): void {
  const folder = fs.openSync(dir, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

function replace(file: string, content: string | Uint8Array, mode: number, isSynced: boolean): void {
  const part = `${file}.${process.pid}.${counter++}.part`;
  const fd = fs.openSync(part, "wx", mode);
  try {
    fs.writeFileSync(fd, content);
    if (isSynced) fs.fsyncSync(fd);
  } catch (cause) {
    // Frees the room on a full disk. Node's message does not name the file, since it only knows the descriptor.
    fs.rmSync(part, { force: true });
    const { message, code } = cause as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${message} '${file}'`, { cause }), { code });
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(part, file);
}

/**
 * Replaces a file so that a reader, or a restart after a power cut, sees the old or the new content and never half of it:
 * write beside it, fsync, rename, fsync the folder.
 * @param mode permissions of a new file; default 0600, since most of what we write may hold secrets
 */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  replace(file, content, mode, true);
  syncFolder(path.dirname(file));
}

/** Replaces a file, so that a reader sees the old or the new content, for one that nobody needs after a power cut: nothing waits for the disk. */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o600): void {
  replace(file, content, mode, false);
}

/**
 * The text of a regular file that somebody named. A pipe or a device may have no end, and opening one may wait for ever.
 * @param flags beside O_RDONLY
 * @returns undefined: it is not a regular file of at most so many bytes
 */
export function readRegularFile(file: string, maxBytes: number, flags = 0): string | undefined {
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | flags);
  try {
    const found = fs.fstatSync(fd);
    return found.isFile() && found.size <= maxBytes ? fs.readFileSync(fd, "utf8") : undefined;
  } finally {
    fs.closeSync(fd);
  }
}
