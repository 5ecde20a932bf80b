/** `state remove|protect|unprotect|taint|untaint|rename`: edits of the state that call no provider. The passphrase is not needed. */
import { z } from "zod";
import { deploymentSchema } from "../backend/checkpoint";
import { lockStack } from "../backend/locks";
import { CliError, EXIT_CODE } from "../errors";
import { checkIntegrity } from "../snapshot/integrity";
import { deserializeSnapshot } from "../snapshot/serialize";
import { needsOf } from "../snapshot/types";
import { mapValue, type Value } from "../wire/values";
import type { Flags } from "./flags";
import { openStack } from "./stack-context";
import { confirm, print } from "./terminal";

const rawSchema = z.looseObject({ urn: z.string(), protect: z.boolean().optional() });
type RawResource = z.infer<typeof rawSchema>;

/** Secrets stay encrypted: these commands need the shape of the state alone. */
const sealed = { encrypt: (text: string): string => text, decrypt: (): string => "null" };
const decode = (resources: readonly RawResource[]) => deserializeSnapshot({ resources: [...resources] }, sealed).resources;

/** Loads, changes, checks and saves under the stack's lock. */
async function edit(flags: Flags, question: string, change: (resources: RawResource[]) => RawResource[]): Promise<void> {
  const { project, backend, stack } = await openStack(flags);
  await confirm(flags, question);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const latest = await backend.load(project.name, stack);
    if (latest === undefined) throw new CliError(`stack '${stack}' has no state yet`);
    const resources = change(z.array(rawSchema).parse(latest.resources ?? []));
    checkIntegrity(decode(resources), "the state after this edit; nothing was written");
    await backend.save(project.name, stack, { ...latest, resources });
  } finally {
    await unlock();
  }
}

function requireUrn(resources: readonly RawResource[], urn: string): void {
  if (!resources.some((resource) => resource.urn === urn)) throw new CliError(`No such resource "${urn}" exists in the current state`);
}

/** The URN, and those of all resources that need it, directly or not. */
function withDependents(resources: readonly RawResource[], urn: string): Set<string> {
  const found = new Set([urn]);
  // Dependents always stand after the resource that they need, so one pass finds all of them.
  for (const state of decode(resources)) if ([...needsOf(state)].some((need) => found.has(need))) found.add(state.urn);
  return found;
}

export async function stateDelete(flags: Flags): Promise<number> {
  const [urn] = flags.words;
  if ((urn === undefined) === !flags.has("all")) throw new CliError("usage: pulumi state delete <urn> | --all", EXIT_CODE.usage);
  await edit(flags, `This will edit your stack's state directly: ${urn ?? "every resource"} is forgotten, and not deleted.`, (resources) => {
    if (urn === undefined) return [];
    requireUrn(resources, urn);
    const dependents = withDependents(resources, urn);
    if (dependents.size > 1 && !flags.has("target-dependents"))
      throw new CliError(
        `This resource can't be safely deleted because the following resources depend on it:\n${[...dependents]
          .slice(1)
          .map((one) => ` * ${one}`)
          .join("\n")}\nDelete those resources first or pass --target-dependents.`,
      );
    const guarded = resources.find((resource) => dependents.has(resource.urn) && resource.protect === true);
    if (guarded !== undefined && !flags.has("force"))
      throw new CliError(`"${guarded.urn}" can't be deleted because it is protected. Re-run this command with --force to force deletion`);
    return resources.filter((resource) => !dependents.has(resource.urn));
  });
  print("Resource deleted");
  return EXIT_CODE.ok;
}

async function setProtection(flags: Flags, protect: boolean): Promise<number> {
  const urns = flags.words;
  if ((urns.length === 0) === !flags.has("all")) throw new CliError(`usage: pulumi state ${protect ? "" : "un"}protect <urn>… | --all`, EXIT_CODE.usage);
  await edit(flags, "This will edit your stack's state directly.", (resources) => {
    for (const urn of urns) requireUrn(resources, urn);
    return resources.map((resource) => {
      if (urns.length > 0 && !urns.includes(resource.urn)) return resource;
      const { protect: _old, ...others } = resource;
      return protect ? { ...others, protect } : others;
    });
  });
  print(`Resource${urns.length === 1 ? "" : "s"} successfully ${protect ? "" : "un"}protected`);
  return EXIT_CODE.ok;
}

export const stateProtect = (flags: Flags): Promise<number> => setProtection(flags, true);
export const stateUnprotect = (flags: Flags): Promise<number> => setProtection(flags, false);

async function setTaint(flags: Flags, taint: boolean): Promise<number> {
  const urns = flags.words;
  const needs = taint ? "pulumi state taint <urn>…" : "pulumi state untaint <urn>… | --all";
  if ((urns.length === 0) === !flags.has("all")) throw new CliError(`usage: ${needs}`, EXIT_CODE.usage);
  let count = 0;
  await edit(flags, "This will edit your stack's state directly.", (resources) => {
    // A resource that is pending deletion cannot be replaced.
    const isLive = (resource: RawResource): boolean => resource["delete"] !== true;
    for (const urn of urns) requireUrn(resources.filter(isLive), urn);
    return resources.map((resource) => {
      if (!isLive(resource) || (urns.length > 0 ? !urns.includes(resource.urn) : resource["taint"] !== true)) return resource;
      count++;
      const { taint: _old, ...others } = resource;
      return taint ? { ...others, taint } : others;
    });
  });
  print(`${count} resources ${taint ? "" : "un"}tainted`);
  return EXIT_CODE.ok;
}

/** The next update replaces a tainted resource. */
export const stateTaint = (flags: Flags): Promise<number> => setTaint(flags, true);
export const stateUntaint = (flags: Flags): Promise<number> => setTaint(flags, false);

export async function stateRename(flags: Flags): Promise<number> {
  const [urn = "", name = ""] = flags.words;
  const next = `${urn.slice(0, urn.lastIndexOf("::"))}::${name}`;
  await edit(flags, `This will rename ${urn} in your stack's state; the program must use the new name.`, (resources) => {
    requireUrn(resources, urn);
    if (resources.some((resource) => resource.urn === next)) throw new CliError(`a resource ${next} exists already`);
    const moved = (item: Value): Value =>
      typeof item !== "string" ? item : item === urn ? next : item.startsWith(`${urn}::`) ? `${next}${item.slice(urn.length)}` : item;
    return z.array(rawSchema).parse(mapValue(deploymentSchema.shape.resources.parse(resources) as Value, moved));
  });
  print("Resource renamed");
  return EXIT_CODE.ok;
}
