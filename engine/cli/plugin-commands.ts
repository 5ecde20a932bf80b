import * as fs from "node:fs";
import * as path from "node:path";
import { pluginsDir } from "../workspace/pulumi-home";
import { EXIT_CODE } from "./cli-error";
import type { Flags } from "./flags";

/** Plugins of the user's plugin folder. */
export function pluginLs(flags: Flags): number {
  const folder = pluginsDir();
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const plugins = names.flatMap((entry) => {
    const [, kind, name, version] = /^(resource|language|analyzer|converter|tool)-(.+)-v(\d+\.\d+\.\d+.*)$/.exec(entry) ?? [];
    if (kind === undefined || entry.endsWith(".lock") || entry.endsWith(".partial")) return [];
    return [{ name, kind, version, installTime: fs.statSync(path.join(folder, entry)).mtime.toISOString(), size: 0 }];
  });
  if (flags.has("json")) process.stdout.write(`${JSON.stringify(plugins, null, 2)}\n`);
  else for (const { name, kind, version } of plugins) process.stdout.write(`${name} ${kind} ${version}\n`);
  return EXIT_CODE.ok;
}
