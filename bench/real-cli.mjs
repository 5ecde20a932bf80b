// The Pulumi CLI that a benchmark runs beside the embedded engine: the part `pulumi` of `make real-parts`, with the language host of the
// tests, or else one on PATH with a language host of its own.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const embedded = path.join(root, "engine", "bin", "pulumi");
const languageHost = path.join(root, "tests", "support", "language-host");

/** @returns {{ file: string, search?: string } | undefined} `search`: a folder that must be on PATH */
export function realPulumi() {
  const { inventory } = createRequire(import.meta.url)("../build/real-parts.cjs");
  const part = inventory().find(({ name }) => name === "pulumi");
  if (part?.path !== undefined) return { file: part.path, search: languageHost };
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, "pulumi");
    if (fs.existsSync(file) && fs.realpathSync(file) !== embedded) return { file };
  }
  return undefined;
}

/** A part of `make real-parts`, or else what is on PATH under its name; undefined where it is neither. */
export function programFor(name) {
  const { inventory } = createRequire(import.meta.url)("../build/real-parts.cjs");
  const part = inventory().find((candidate) => candidate.name === name);
  return (
    part?.path ??
    (process.env.PATH ?? "")
      .split(path.delimiter)
      .map((folder) => path.join(folder, name))
      .find((file) => fs.existsSync(file))
  );
}

/** PATH with a CLI and what it needs first. */
export const pathWith = ({ file, search }) =>
  [...(search === undefined ? [] : [search]), path.dirname(file), path.dirname(process.execPath), process.env.PATH].join(path.delimiter);
