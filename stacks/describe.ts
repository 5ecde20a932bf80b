/**
 * `node bin/stacks/describe.js`: the stacks as JSON on standard output, after a check of their graph, settings and VMs.
 * The orchestrator's only source of the graph. Loads no Pulumi SDK. Errors: one line of JSON on standard error, exit code 1.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { failureLine } from "./child";
import { parseStackConfigFile } from "./config";
import { STACKS } from "./definitions";
import { validateGraph } from "./graph";
import { loadInventory } from "./inventory";

/** The settings file of each stack, checked. @throws HomelabError E_CONFIG_FILE where one is missing or is no stack's */
export function checkConfigFiles(folder: string): void {
  const expected = new Map<string, string>(STACKS.map(({ name }) => [`Pulumi.${name}.yaml`, name]));
  for (const [file, name] of expected) {
    const full = path.join(folder, file);
    if (!fs.existsSync(full))
      throw new HomelabError("E_CONFIG_FILE", `${file} is missing: the stack "${name}" has no settings`, { subject: file, hint: "restore it from Git" });
    parseStackConfigFile(file, fs.readFileSync(full, "utf8"));
  }
  for (const file of fs.readdirSync(folder)) {
    if (!/^Pulumi\..+\.yaml$/.test(file) || expected.has(file)) continue;
    throw new HomelabError("E_CONFIG_FILE", `${file} belongs to no stack`, { subject: file, hint: `remove it, or add the stack to stacks/definitions.ts` });
  }
}

export function describe(): object {
  validateGraph(STACKS);
  checkConfigFiles(projectRoot());
  const { warnings } = loadInventory();
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
