/**
 * `node bin/stacks/stack-list.js`: the site and its stacks as JSON on standard output. For commands that must work while the plan cannot be
 * made: `homelab secrets` writes values that the plan needs. Errors: one line of JSON on standard error, exit code 1.
 */
import { printAnswer } from "./child";
import { loadEstate } from "./load/estate";
import { stackFacts } from "./load/stacks";

export function stackList(): object {
  const { site, stacks } = loadEstate();
  return { site: site.domain, vaultAddress: site.vaultAddress, stacks: stacks.map(stackFacts) };
}

if (require.main === module) printAnswer(stackList);
