import * as fs from "node:fs";
import * as path from "node:path";

let cached: string | undefined;

/** The checkout's folder, wherever this file runs from (bin/common or common): the nearest one above with Pulumi.yaml. */
export function projectRoot(): string {
  if (cached !== undefined) return cached;
  let folder = __dirname;
  while (!fs.existsSync(path.join(folder, "Pulumi.yaml"))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`no Pulumi.yaml above ${__dirname}: the checkout is incomplete`);
    folder = parent;
  }
  cached = folder;
  return folder;
}
