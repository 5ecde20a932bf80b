/** The program: what `pulumi up` and the embedded engine run. Builds the current stack and returns its outputs. */
import * as pulumi from "@pulumi/pulumi";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { projectRoot } from "../common/paths";
import { loadSecrets, type OpenedSecrets, ownPaths } from "../secrets/load";
import { createSecretReader, type SecretSources } from "./build/secret-reader";
import { buildStack } from "./build/stack";
import { bastionFromEnvironment } from "./load/bastion";
import { type Estate, loadEstate } from "./load/estate";
import { parseStackConfig } from "./load/settings";
import { writePlannedOutputs } from "./outputs/planned-outputs";
import { stackOutputs } from "./outputs/stack-outputs";
import { loadUpstream } from "./outputs/upstream";
import { validateGraph } from "./plan/graph";
import { planStack, stackOf } from "./plan/plan";
import { useNativeStackTraces } from "./stack-traces";

async function secretSources(stack: string, wanted: readonly string[] | "all"): Promise<SecretSources> {
  const own = new Set(ownPaths(stack));
  const only = wanted === "all" ? undefined : [...new Set([...wanted, ...own])];
  const opened: OpenedSecrets = new Map();
  const entries = await loadSecrets({ environment: stack, only, opened });
  const common = wanted === "all" && own.size > 0 ? await loadSecrets({ opened }) : entries;
  return { stack, entries, common, own };
}

/** @returns the outputs of the stack, for the engine to store */
async function build(name: string, estate: Estate): Promise<Record<string, pulumi.Input<unknown>>> {
  validateGraph(estate.stacks, estate.root);
  const stack = stackOf(estate, name);
  // The engine may have newer settings than the file.
  const config = parseStackConfig(`Pulumi.${name}.yaml`, pulumi.runtime.allConfig());
  const plan = planStack({ ...estate, settings: new Map([...estate.settings, [name, config]]) }, stack);
  for (const warning of plan.vms.flatMap((vm) => estate.warnings.get(vm.name) ?? [])) await pulumi.log.warn(warning);
  const plannedDir = pulumi.runtime.isDryRun() ? readEnv(ENV.plannedOutputsDir) : undefined;
  const usedUnknowns = new Set<string>();
  const built = buildStack({
    plan,
    // The engine redacts secret outputs; what a program prints itself never holds a value.
    secrets: createSecretReader(await secretSources(name, plan.secrets)),
    bastion: bastionFromEnvironment(),
    checkout: projectRoot(),
    upstream: await loadUpstream({
      needs: stack.needs.map((need) => stackOf(estate, need)),
      plannedDir,
      usedUnknown: (output) => usedUnknowns.add(output),
    }),
  });
  const outputs = stackOutputs(plan, built);
  if (plannedDir !== undefined) await writePlannedOutputs(plannedDir, name, outputs, [...usedUnknowns].toSorted());
  return outputs;
}

/**
 * The engine calls it without arguments. Known failures are shown by their message alone: a stack trace would not help the reader.
 * @param load gives the homelab; default: the checkout's own
 */
async function main(load: () => Estate = loadEstate): Promise<Record<string, pulumi.Input<unknown>>> {
  try {
    return await build(pulumi.getStack(), load());
  } catch (thrown) {
    if (thrown instanceof HomelabError) throw new pulumi.RunError(`${thrown.code}: ${describeError(thrown)}`);
    throw thrown;
  }
}

useNativeStackTraces();

export = main;
