/**
 * `node bin/stacks/stack-list.js`: the site and its stacks as JSON on standard output. For commands that must work while the plan cannot be
 * made: `homelab secrets` writes values that the plan needs. Errors: one line of JSON on standard error, exit code 1.
 */
import { storePath } from "../common/vault-layout";
import { printAnswer } from "./child";
import { loadEstate } from "./load/estate";
import { type LoadedStack, stackFacts } from "./load/stacks";

/** Paths of entries of secrets/ that options name, at any depth. */
function entriesIn(options: unknown): string[] {
  if (typeof options === "string") return options.startsWith(storePath("")) ? [options] : [];
  return typeof options === "object" && options !== null ? Object.values(options).flatMap(entriesIn) : [];
}

/** The modules of a stack, with the entries that their options in the matrix name. */
export const modulesOf = ({ platform }: LoadedStack): { name: string; entries: string[] }[] =>
  Object.entries(platform).map(([name, options]) => ({ name, entries: [...new Set(entriesIn(options))] }));

export function stackList(): object {
  const { site, stacks } = loadEstate();
  return { site: site.domain, vaultAddress: site.vaultAddress, stacks: stacks.map((stack) => ({ ...stackFacts(stack), modules: modulesOf(stack) })) };
}

if (require.main === module) printAnswer(stackList);
