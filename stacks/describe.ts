/**
 * `node bin/stacks/describe.js`: the stacks as JSON on standard output, after a check of their graph, settings and VMs.
 * The orchestrator's only source of the graph. Loads no Pulumi SDK. Errors: one line of JSON on standard error, exit code 1.
 */
import { HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { failureLine, failureOf } from "./child";
import { checkConfigFiles } from "./config-files";
import { STACKS } from "./definitions";
import { validateGraph } from "./graph";
import { planRoles } from "./host-roles";
import { loadInventory } from "./inventory";
import { labSite } from "./lab-site";
import { SITE } from "./site";

/** Asked for in the lab only: what is wrong with it stops no other run. */
function labFacts(): object {
  try {
    return { site: labSite() };
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return { failure: failureOf(thrown) };
  }
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
    site: SITE.domain,
    stacks: STACKS.map(({ name, needs, description, vms }) => ({ name, needs, description, vms })),
    warnings: [...warnings.values()].flat(),
    lab: labFacts(),
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
