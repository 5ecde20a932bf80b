/**
 * `node bin/stacks/describe.js`: the stacks as JSON on standard output, after a check of their graph, settings and VMs.
 * The orchestrator's only source of the graph. Loads no Pulumi SDK. Errors: one line of JSON on standard error, exit code 1.
 */
import { projectRoot } from "../common/paths";
import { failureLine } from "./child";
import { checkConfigFiles } from "./config-files";
import { STACKS } from "./definitions";
import { validateGraph } from "./graph";
import { planRoles } from "./host-roles";
import { loadInventory } from "./inventory";
import { SITE } from "./site";

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
    site: SITE.domain,
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
