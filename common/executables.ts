import * as fs from "node:fs";
import * as path from "node:path";
import { readEnv } from "./env";

/** Whether this user may run the file. False too where it cannot be looked up (a folder of another user, a file in a folder's place). */
export function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The first executable of that name on PATH. Empty entries, which mean the working folder, are passed over. */
export function findOnPath(name: string): string | undefined {
  return (readEnv("PATH") ?? "")
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}
