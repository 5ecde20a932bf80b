import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../../common/errors";
import { parseStackConfigFile, type StackConfig } from "./settings";

function textOf(full: string, file: string): string {
  try {
    return fs.readFileSync(full, "utf8");
  } catch (cause) {
    throw new HomelabError("E_CONFIG_FILE", `${file} cannot be read`, { cause, subject: file, hint: "restore it from Git, and let this user read it" });
  }
}

/** The settings of each stack, checked. @throws HomelabError E_CONFIG_FILE where a file is missing or is no stack's */
export function readSettings(folder: string, stacks: readonly string[]): Map<string, StackConfig> {
  const configs = new Map<string, StackConfig>();
  const expected = new Map(stacks.map((name) => [`Pulumi.${name}.yaml`, name]));
  for (const [file, name] of expected) {
    const full = path.join(folder, file);
    if (!fs.existsSync(full))
      throw new HomelabError("E_CONFIG_FILE", `${file} is missing: the stack "${name}" has no settings`, { subject: file, hint: "restore it from Git" });
    configs.set(name, parseStackConfigFile(file, textOf(full, file)));
  }
  for (const file of fs.readdirSync(folder)) {
    if (!/^Pulumi\..+\.yaml$/.test(file) || expected.has(file)) continue;
    throw new HomelabError("E_CONFIG_FILE", `${file} belongs to no stack`, { subject: file, hint: "remove it, or add the stack to site/stacks.ts" });
  }
  return configs;
}
