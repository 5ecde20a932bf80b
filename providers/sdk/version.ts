import { readFileSync } from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { projectRoot } from "../../common/paths";

/** The installed version of the SDK package that a provider stands for, so that a state names the same one with either. */
export function sdkVersion(packageName: string): string {
  const file = path.join(projectRoot(), "node_modules", packageName, "package.json");
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}
