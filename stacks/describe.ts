/**
 * `node bin/stacks/describe.js`: the stacks as JSON on standard output, after a check of their graph, settings and VMs.
 * The orchestrator's only source of the graph. Loads no Pulumi SDK. Errors: one line of JSON on standard error, exit code 1.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { failureLine } from "./child";
import { parseStackConfigFile, type StackConfig } from "./config";
import { STACKS } from "./definitions";
import { validateGraph } from "./graph";
import { planRoles } from "./host-roles";
import { loadInventory } from "./inventory";
import type { StackName } from "./outputs";

/** The settings of each stack, checked. @throws HomelabError E_CONFIG_FILE where a file is missing or is no stack's */
export function checkConfigFiles(folder: string): Map<StackName, StackConfig> {
  const configs = new Map<StackName, StackConfig>();
  const expected = new Map<string, StackName>(STACKS.map(({ name }) => [`Pulumi.${name}.yaml`, name]));
  for (const [file, name] of expected) {
    const full = path.join(folder, file);
    if (!fs.existsSync(full))
      throw new HomelabError("E_CONFIG_FILE", `${file} is missing: the stack "${name}" has no settings`, { subject: file, hint: "restore it from Git" });
    configs.set(name, parseStackConfigFile(file, fs.readFileSync(full, "utf8")));
  }
  for (const file of fs.readdirSync(folder)) {
    if (!/^Pulumi\..+\.yaml$/.test(file) || expected.has(file)) continue;
    throw new HomelabError("E_CONFIG_FILE", `${file} belongs to no stack`, { subject: file, hint: `remove it, or add the stack to stacks/definitions.ts` });
  }
  return configs;
}

export function describe(): object {
  validateGraph(STACKS);
  const configs = checkConfigFiles(projectRoot());
  const { warnings, vms } = loadInventory();
  for (const { name, vms: owned } of STACKS) {
    const config = configs.get(name);
    if (config !== undefined) planRoles({ stack: name, config, owned, vms });
  }
  return {
    version: 1,
    project: "homelab",
    stacks: STACKS.map(({ name, needs, description, vms }) => ({ name, needs, description, vms })),
    warnings: [...warnings.values()].flat(),
  };
}

if (require.main === module) {
  try {
    process.stdout.write(`${JSON.stringify(describe(), null, 2)}\n`);
  } catch (thrown) {
    process.stderr.write(failureLine(thrown));
    process.exitCode = 1;
  }
}
