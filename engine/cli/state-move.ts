/** `state move`: moves resources, with their descendants, from one stack of the project to another. It calls no provider. */
import type { RawDeployment } from "../backend/checkpoint";
import { lockStack } from "../backend/locks";
import { CliError, EXIT_CODE } from "../errors";
import { checkIntegrity } from "../snapshot/integrity";
import { emptyState, type ResourceState, type Snapshot, withRenamedReferences } from "../snapshot/types";
import { isProviderType, STACK_TYPE } from "../wire/urn";
import { mapValue, type PropertyMap, sameValue } from "../wire/values";
import type { Flags } from "./flags";
import { cachingCodec, loadSnapshot, openStack, renderDeployment, type StackContext, stateSecrets } from "./stack-context";
import { confirm, print } from "./terminal";

/** A reference between a resource that moves and one that stays. */
interface Broken {
  urn: string;
  need: string;
  how: string;
}

/** The entry without its references to `gone`; these are listed in `broken`. The parent is left to the caller. */
function withoutTies(state: ResourceState, gone: ReadonlySet<string>): { state: ResourceState; broken: Broken[] } {
  const broken: Broken[] = [];
  const keep =
    (how: string) =>
    (need: string): boolean => {
      if (gone.has(need)) broken.push({ urn: state.urn, need, how });
      return !gone.has(need);
    };
  const properties =
    state.propertyDependencies && Object.entries(state.propertyDependencies).map(([key, urns]) => [key, urns.filter(keep(`property dependency (${key})`))]);
  return {
    state: {
      ...state,
      dependencies: state.dependencies.filter(keep("dependency")),
      propertyDependencies: properties && Object.fromEntries(properties),
      deletedWith: state.deletedWith !== undefined && keep("deleted with")(state.deletedWith) ? state.deletedWith : undefined,
      replaceWith: state.replaceWith.filter(keep("replaced with")),
    },
    broken,
  };
}

const providerUrn = (reference: string): string => reference.slice(0, reference.lastIndexOf("::"));

/** All resources that move, in the state's order: the named ones, their descendants, and with --include-parents their parents. */
function chosen(source: readonly ResourceState[], urns: readonly string[], includeParents: boolean): ResourceState[] {
  const byUrn = new Map(source.map((r) => [r.urn, r]));
  const names = new Set(urns);
  for (const urn of urns) {
    const found = byUrn.get(urn);
    if (found === undefined) throw new CliError(`No such resource "${urn}" exists in the current state`);
    if (isProviderType(found.type)) throw new CliError("cannot move providers. Only resources can be moved, and providers will be included automatically");
    for (let above = found.parent; includeParents && above !== undefined; above = byUrn.get(above)?.parent) names.add(above);
  }
  for (const r of source) if (r.parent !== undefined && names.has(r.parent) && !isProviderType(r.type)) names.add(r.urn);
  return source.filter((r) => names.has(r.urn) && r.type !== STACK_TYPE);
}

interface Moved {
  source: ResourceState[];
  dest: ResourceState[];
  broken: { source: Broken[]; dest: Broken[] };
  urns: string[];
}

/** @throws CliError where a moved resource, or another provider of that name, is in the destination already */
function move(
  source: readonly ResourceState[],
  dest: readonly ResourceState[],
  moving: readonly ResourceState[],
  names: { project: string; from: string; to: string },
): Moved {
  const prefix = (stack: string): string => `urn:pulumi:${stack}::${names.project}::`;
  const rename = (urn: string): string => (urn.startsWith(prefix(names.from)) ? `${prefix(names.to)}${urn.slice(prefix(names.from).length)}` : urn);
  const gone = new Set(moving.map((r) => r.urn));
  const broken: Moved["broken"] = { source: [], dest: [] };
  const left = source
    .filter((r) => !gone.has(r.urn))
    .map((r) => {
      const cut = withoutTies(r, gone);
      broken.source.push(...cut.broken);
      return cut.state;
    });
  const staying = new Set(left.map((r) => r.urn));
  const result = [...dest];
  const rootUrn = `${prefix(names.to)}${STACK_TYPE}::${names.project}-${names.to}`;
  if (!result.some((r) => r.urn === rootUrn))
    result.unshift({ ...emptyState(rootUrn, STACK_TYPE, false), created: new Date().toISOString(), modified: new Date().toISOString() });
  /** Provider references of the source to those of the destination. */
  const providers = new Map<string, string>();
  for (const reference of new Set(moving.flatMap((r) => r.provider ?? []))) {
    const found = left.find((r) => r.urn === providerUrn(reference) && r.id === reference.slice(reference.lastIndexOf("::") + 2));
    if (found === undefined) throw new CliError(`the state holds no provider ${reference}`);
    const cut = withoutTies(found, staying);
    broken.dest.push(...cut.broken);
    const copy = { ...withRenamedReferences(cut.state, rename), urn: rename(found.urn), parent: found.parent === undefined ? undefined : rootUrn };
    const there = result.find((r) => r.urn === copy.urn);
    if (there !== undefined && there.id !== copy.id && !sameValue(there.inputs, copy.inputs))
      throw new CliError(`provider ${copy.urn} already exists in destination stack`);
    if (there === undefined) result.push(copy);
    providers.set(reference, `${copy.urn}::${there?.id ?? copy.id}`);
  }
  const renameIn = (map: PropertyMap): PropertyMap =>
    mapValue(map, (value) => (typeof value === "string" && gone.has(value) ? rename(value) : value)) as PropertyMap;
  for (const r of moving) {
    const urn = rename(r.urn);
    if (result.some((other) => other.urn === urn)) throw new CliError(`resource ${urn} already exists in destination stack`);
    const cut = withoutTies(r, staying);
    broken.dest.push(...cut.broken);
    const { parent, provider } = r;
    result.push({
      ...withRenamedReferences(cut.state, rename),
      urn,
      inputs: renameIn(r.inputs),
      outputs: renameIn(r.outputs),
      parent: parent !== undefined && gone.has(parent) ? rename(parent) : rootUrn,
      provider: provider && providers.get(provider),
    });
  }
  return { source: left, dest: result, broken, urns: moving.map((r) => r.urn) };
}

const listOf = (ties: readonly Broken[]): string => ties.map(({ urn, need, how }) => `  - ${urn} has a ${how} on ${need}`).join("\n");

async function save(
  ctx: StackContext,
  resources: ResourceState[],
  latest: RawDeployment | undefined,
  pendingOperations: Snapshot["pendingOperations"],
): Promise<void> {
  const secrets = stateSecrets(latest) ?? ctx.settings.secrets();
  await ctx.backend.save(ctx.project.name, ctx.stack, renderDeployment({ resources, pendingOperations }, cachingCodec(secrets), secrets.salt, latest));
}

export async function stateMove(flags: Flags): Promise<number> {
  const [from, to] = [flags.text("source"), flags.text("dest")];
  if (from === undefined && to === undefined) throw new CliError("at least one of --source or --dest must be provided", EXIT_CODE.usage);
  const source = await openStack(flags, from);
  const dest = await openStack(flags, to);
  const { project, backend } = source;
  if (source.stack === dest.stack) throw new CliError("source and destination are the same stack", EXIT_CODE.usage);
  const unlockSource = await lockStack(backend.bucket, project.name, source.stack);
  try {
    const unlockDest = await lockStack(backend.bucket, project.name, dest.stack);
    try {
      const [latestSource, latestDest] = [await backend.load(project.name, source.stack), await backend.load(project.name, dest.stack)];
      const [before, there] = [loadSnapshot(latestSource), loadSnapshot(latestDest)];
      const moved = move(before.resources, there.resources, chosen(before.resources, flags.words, flags.has("include-parents")), {
        project: project.name,
        from: source.stack,
        to: dest.stack,
      });
      checkIntegrity(moved.source, `${source.stack} after this move; nothing was written`);
      checkIntegrity(moved.dest, `${dest.stack} after this move; nothing was written`);
      print(`Planning to move the following resources from ${source.stack} to ${dest.stack}:\n\n${moved.urns.map((urn) => `  - ${urn}`).join("\n")}\n`);
      if (moved.broken.source.length > 0)
        print(
          `The following resources remaining in ${source.stack} have dependencies on resources moved to ${dest.stack}:\n\n${listOf(moved.broken.source)}\n`,
        );
      if (moved.broken.dest.length > 0)
        print(`The following resources being moved to ${dest.stack} have dependencies on resources in ${source.stack}:\n\n${listOf(moved.broken.dest)}\n`);
      await confirm(flags, "Do you want to perform this move?");
      // The destination first: killed in between, resources are in both states, and none is forgotten.
      await save(dest, moved.dest, latestDest, there.pendingOperations);
      await save(source, moved.source, latestSource, before.pendingOperations);
      print(`Successfully moved resources from ${source.stack} to ${dest.stack}`);
    } finally {
      await unlockDest();
    }
  } finally {
    await unlockSource();
  }
  return EXIT_CODE.ok;
}
