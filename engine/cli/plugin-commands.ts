import * as fs from "node:fs";
import * as path from "node:path";
import { compare } from "semver";
import { EXIT_CODE, unsupported } from "../errors";
import { pluginsDir } from "../workspace/pulumi-home";
import type { Flags } from "./flags";
import { print, table } from "./terminal";

function sizeOf(file: string): number {
  const stat = fs.lstatSync(file);
  if (!stat.isDirectory()) return stat.size;
  return fs.readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0);
}

/** Decimal units, as the CLI has them. */
function humanSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** Plugins of the user's plugin folder: by name, the newest version first. */
export function pluginLs(flags: Flags): number {
  if (flags.has("project")) throw unsupported("`plugin ls --project`");
  const folder = pluginsDir();
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const plugins = names
    .flatMap((entry) => {
      const [, kind, name, version] = /^(resource|language|analyzer|converter|tool)-(.+)-v(\d+\.\d+\.\d+.*)$/.exec(entry) ?? [];
      if (kind === undefined || name === undefined || version === undefined || entry.endsWith(".lock") || entry.endsWith(".partial")) return [];
      const file = path.join(folder, entry);
      return [{ name, kind, version, size: sizeOf(file), installTime: fs.statSync(file).mtime.toISOString() }];
    })
    .sort((a, b) => (a.name === b.name ? compare(b.version, a.version) : a.name < b.name ? -1 : 1));
  if (flags.json) {
    print(JSON.stringify(plugins, null, 2));
    return EXIT_CODE.ok;
  }
  print(
    table([
      ["NAME", "KIND", "VERSION", "SIZE", "INSTALLED"],
      ...plugins.map(({ name, kind, version, size, installTime }) => [name, kind, version, humanSize(size), installTime]),
    ]),
  );
  print(`\nTOTAL plugin cache size: ${humanSize(plugins.reduce((sum, { size }) => sum + size, 0))}`);
  return EXIT_CODE.ok;
}
