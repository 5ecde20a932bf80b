/** The program: what `pulumi up` and the embedded engine run. Builds the current stack and returns its outputs. */
import * as pulumi from "@pulumi/pulumi";
import { ENV, readEnv } from "../common/env";
import { describeError, HomelabError } from "../common/errors";
import { nearest } from "../common/nearest";
import { projectRoot } from "../common/paths";
import { entryKeys, loadSecrets, ownPaths } from "../secrets/load";
import { bastionFromEnvironment } from "./bastion";
import { parseStackConfig } from "./config";
import { checkConfigFiles } from "./config-files";
import { STACKS } from "./definitions";
import { validateGraph } from "./graph";
import { planRoles, secretPaths } from "./host-roles";
import { loadInventory } from "./inventory";
import { SECRET_OUTPUTS, type StackName } from "./outputs";
import { writePlannedOutputs } from "./planned-outputs";
import type { StackContext } from "./program";
import { createSecretReader, type SecretSources } from "./secret-reader";
import { SITE } from "./site";
import { useNativeStackTraces } from "./stack-traces";
import { loadUpstream } from "./upstream";
import { vaultGrants } from "./vault-grants";

type Program = (context: StackContext<StackName>) => Record<string, pulumi.Input<unknown>>;

async function secretSources(stack: string, wanted: readonly string[] | "all"): Promise<SecretSources> {
  const own = new Set(ownPaths(stack));
  const only = wanted === "all" ? undefined : [...new Set([...wanted, ...own])];
  const entries = await loadSecrets({ environment: stack, only });
  const common = wanted === "all" && own.size > 0 ? await loadSecrets() : entries;
  return { stack, entries, common, own, keysBelow: (below) => entryKeys(below) };
}

/** @returns the outputs of the stack, for the engine to store */
async function build(name: string): Promise<Record<string, pulumi.Input<unknown>>> {
  validateGraph(STACKS);
  const definition = STACKS.find((stack) => stack.name === name);
  if (definition === undefined) {
    const names = STACKS.map((stack) => stack.name);
    const meant = nearest(name, names);
    throw new HomelabError("E_STACK_UNKNOWN", `there is no stack "${name}"`, {
      subject: name,
      hint: meant === undefined ? `the stacks are: ${names.join(", ")}` : `did you mean "${meant}"?`,
    });
  }
  const inventory = loadInventory();
  for (const warning of definition.vms.flatMap((vm) => inventory.warnings.get(vm) ?? [])) await pulumi.log.warn(warning);
  const config = parseStackConfig(`Pulumi.${name}.yaml`, pulumi.runtime.allConfig());
  const roles = planRoles({ stack: definition.name, config, owned: definition.vms, vms: inventory.vms });
  const wanted = definition.secrets === "all" ? definition.secrets : [...definition.secrets, ...secretPaths([...roles.values()].flat())];
  // The engine redacts secret outputs; what a program prints itself never holds a value.
  const secrets = createSecretReader(await secretSources(name, wanted));
  const plannedDir = pulumi.runtime.isDryRun() ? readEnv(ENV.plannedOutputsDir) : undefined;
  const usedUnknowns = new Set<string>();
  // Each program was checked against its own needs where it is declared (defineStack).
  const program = definition.program() as Program;
  const built = program({
    stack: definition.name,
    config,
    site: SITE,
    vms: definition.vms.flatMap((vm) => inventory.vms.get(vm) ?? []),
    secrets,
    bastion: bastionFromEnvironment(),
    roles,
    grants: () => vaultGrants(STACKS, checkConfigFiles(projectRoot())),
    checkout: projectRoot(),
    upstream: await loadUpstream({ needs: definition.needs, plannedDir, usedUnknown: (output) => usedUnknowns.add(output) }),
  });
  // What must be secret is so here, whatever the programs do.
  const outputs = Object.fromEntries(Object.entries(built).map(([key, value]) => [key, SECRET_OUTPUTS.has(key) ? pulumi.secret(value) : value]));
  if (plannedDir !== undefined) await writePlannedOutputs(plannedDir, name, outputs, [...usedUnknowns].toSorted());
  return outputs;
}

/** Known failures are shown by their message alone: a stack trace of ours says nothing to who reads it. */
async function main(): Promise<Record<string, pulumi.Input<unknown>>> {
  try {
    return await build(pulumi.getStack());
  } catch (thrown) {
    if (thrown instanceof HomelabError) throw new pulumi.RunError(`${thrown.code}: ${describeError(thrown)}`);
    throw thrown;
  }
}

useNativeStackTraces();

export = main;
