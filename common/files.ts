import * as fs from "node:fs";
import * as path from "node:path";

let counter = 0;

/** After this, what was made, renamed or removed in the folder is so after a power cut, too. */
export function syncFolder(dir: string): void {
  const folder = fs.openSync(dir, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

/**
 * Replaces a file so that a reader, or a restart after a power cut, sees the old or the new content and never half of it:
 * write beside it, fsync, rename, fsync the folder.
 * @param mode permissions of a new file; default 0600, since most of what we write may hold secrets
 */
export function writeFileAtomic(file: string, content: string | Uint8Array, mode = 0o600): void {
  const part = `${file}.${process.pid}.${counter++}.part`;
  const fd = fs.openSync(part, "wx", mode);
  try {
    fs.writeFileSync(fd, content);
    fs.fsyncSync(fd);
  } catch (cause) {
    // A full disk gets its room back, and the message the name that Node does not know of an open file.
    fs.rmSync(part, { force: true });
    const { message, code } = cause as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${message} '${file}'`, { cause }), { code });
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(part, file);
  syncFolder(path.dirname(file));
}
