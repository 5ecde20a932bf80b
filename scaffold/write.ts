/** Writes new files: all or none of them, and never over an existing one. */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError, systemErrorCode } from "../common/errors";
import { writeFileAtomic } from "../common/files";

export interface NewFile {
  /** Absolute. */
  file: string;
  text: string;
  mode?: number;
}

/**
 * @param root for the names in the message
 * @throws HomelabError E_EXISTS with the existing ones; then nothing was written
 */
export function refuseExisting(root: string, files: readonly string[], hint: string): void {
  const existing = files.filter((file) => fs.existsSync(file));
  if (existing.length === 0) return;
  const names = existing.map((file) => (file.startsWith(root + path.sep) ? path.relative(root, file) : file));
  throw new HomelabError("E_EXISTS", `${names.join(", ")} already ${names.length === 1 ? "exists" : "exist"}, and nothing is overwritten`, {
    subject: root,
    hint,
  });
}

/** @throws HomelabError E_EXISTS for a file that was created in the meantime. Then the files that were written are removed again */
export function writeNew(files: readonly NewFile[]): void {
  const written: string[] = [];
  try {
    for (const { file, text, mode = 0o644 } of files) {
      fs.mkdirSync(path.dirname(file), { recursive: true, ...(mode === 0o600 ? { mode: 0o700 } : {}) });
      fs.writeFileSync(file, text, { mode, flag: "wx" });
      written.push(file);
    }
  } catch (cause) {
    for (const file of written) fs.rmSync(file, { force: true });
    if (systemErrorCode(cause) === "EEXIST") throw new HomelabError("E_EXISTS", "a file that was to be written already exists", { cause });
    throw new HomelabError("E_WRITE", "the new files cannot be written; what was written is removed again", {
      cause,
      hint: "make room, or give this user the right to the folder",
    });
  }
}

/**
 * New files, and files of the checkout with another text, by path from its folder.
 * @returns all of them, changed ones first
 * @throws HomelabError E_EXISTS, E_WRITE; then nothing is changed
 */
export function writeChanges(root: string, files: ReadonlyMap<string, string>, changed: ReadonlyMap<string, string>): string[] {
  const at = (file: string): string => path.join(root, file);
  refuseExisting(root, [...files.keys()].map(at), "remove the files of an earlier one of this name, or take another name");
  writeNew([...files].map(([file, text]) => ({ file: at(file), text })));
  for (const [file, text] of changed) writeFileAtomic(at(file), text);
  return [...changed.keys(), ...files.keys()];
}
