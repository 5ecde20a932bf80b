/** What is built, from the stacks' states; and what the homelab itself answers, asked by the program in the site's environment. */

import { z } from "zod";
import { countedOf } from "../../common/counted";
import { HomelabError } from "../../common/errors";
import { inPool } from "../../common/pool";
import { askProgram } from "../target/ask-program";
import { type Engine, engineRunner, type Run, stackNames, stackOutputs } from "../target/engine";
import type { Program } from "../target/program";
import type { Site } from "../target/site";
import type { Check } from "./doctor-checks";

const STACKS_AT_ONCE = 3;

const outputsSchema = z.looseObject({ hosts: z.record(z.string(), z.looseObject({ running: z.boolean() })).default({}), vaultAddress: z.string().optional() });
const answerSchema = z.object({
  version: z.literal(1),
  findings: z.array(z.object({ name: z.string(), verdict: z.enum(["ok", "look", "wrong"]), says: z.string(), next: z.string().optional() })),
});

interface Built {
  stacks: string[];
  hosts: { name: string; stack: string; host: object }[];
  vaultAddress?: string;
}

/** The engine's own commands are asked, as every run asks them: a backend that cannot be reached is found here. */
export async function builtThings(run: Run, names: readonly string[]): Promise<Built> {
  const existing = await stackNames(run);
  const stacks = names.filter((stack) => existing.has(stack));
  const outputs = await inPool(stacks, STACKS_AT_ONCE, async (stack) => ({
    stack,
    ...(await stackOutputs(run, stack, outputsSchema)),
  }));
  const vaultAddress = outputs.flatMap((each) => each.vaultAddress ?? [])[0];
  return {
    // A stack that was destroyed, or never built to its end, has no hosts.
    stacks: outputs.filter(({ hosts }) => Object.keys(hosts).length > 0).map(({ stack }) => stack),
    hosts: outputs.flatMap(({ stack, hosts }) =>
      Object.entries(hosts)
        .filter(([, { running }]) => running)
        .map(([name, host]) => ({ name, stack, host })),
    ),
    ...(vaultAddress === undefined ? {} : { vaultAddress }),
  };
}

/** @returns one line for each thing that was asked; never throws for what is wrong with the homelab */
export async function askHomelab(site: Site, engine: Engine, describing: Promise<Program>): Promise<Check[]> {
  let program: Program;
  try {
    program = await describing;
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    // The check of the program reports it.
    return [];
  }
  const found: Check[] = [];
  let built: Built = { stacks: [], hosts: [] };
  const run = engineRunner(engine.root, site.workDir);
  try {
    built = await builtThings((words) => run(words, site.env), program.graph.names());
    found.push({ name: "backend", verdict: "ok", says: `built: ${countedOf(built.stacks.length, program.graph.names().length, "stack")}` });
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    const next = thrown.hint ?? "set what docs/state.md names: the backend's address, its credentials, the passphrase";
    found.push({ name: "backend", verdict: "wrong", says: thrown.message, next });
  }
  try {
    const { findings } = answerSchema.parse(await askProgram("probe", JSON.stringify(built), site.env));
    return [...found, ...findings.map(({ next, ...finding }) => ({ ...finding, ...(next === undefined ? {} : { next }) }))];
  } catch (thrown) {
    if (!(thrown instanceof HomelabError)) throw thrown;
    return [...found, { name: "probes", verdict: "wrong", says: thrown.message, next: thrown.hint ?? "correct what is named" }];
  }
}
