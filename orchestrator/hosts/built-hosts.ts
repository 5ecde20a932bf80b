/** The hosts of stacks that are up, from their outputs. */
import { z } from "zod";
import { inPool } from "../../common/pool";
import { type Arguments, positive } from "../cli/arguments";
import type { Session } from "../cli/session";
import { engineOf, engineRunner, stackNames, stackOutputs } from "../target/engine";
import type { StackGraph } from "../target/graph";
import { openSite, type Site } from "../target/site";
import { registerSecrets } from "../worker/redaction";

const hostsSchema = z.record(z.string(), z.object({ running: z.boolean() }).loose());

export interface Built {
  name: string;
  stack: string;
  host: z.infer<typeof hostsSchema>[string];
}

const outputsSchema = z.looseObject({ hosts: hostsSchema.default({}) });

/**
 * The hosts of stacks that are up, from their outputs, and the environment in which they are reached. The engine's own commands
 * are asked, one for the list and one for each stack, at the same time: hosts are no secret, so nothing is decrypted.
 * @param stacks none: all
 */
export async function builtHosts(args: Arguments, session: Session, graph: StackGraph, stacks: readonly string[]): Promise<{ built: Built[]; site: Site }> {
  const site = await openSite(args.flag("lab"));
  const engine = engineOf(args);
  const run = engineRunner(engine.root, site.workDir);
  const registered = registerSecrets(session, site.env, graph.names());
  const existing = await stackNames((words) => run(words, site.env));
  const wanted = graph.names().filter((stack) => (stacks.length === 0 || stacks.includes(stack)) && existing.has(stack));
  const [built] = await Promise.all([
    inPool(wanted, positive(args.text("concurrency"), 3, "--concurrency"), async (stack) => {
      const { hosts } = await stackOutputs((words) => run(words, site.env), stack, outputsSchema);
      return Object.entries(hosts).map(([name, host]): Built => ({ name, stack, host }));
    }),
    registered,
  ]);
  return { built: built.flat(), site };
}
