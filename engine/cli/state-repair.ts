/** `state repair`: turns a state that breaks the integrity rules into one that keeps them. It drops no resource and calls no provider. */
import { z } from "zod";
import { lockStack } from "../backend/locks";
import { CliError, EXIT_CODE } from "../errors";
import { type RepairedEntry, repairState } from "../snapshot/repair";
import { deserializeSnapshot } from "../snapshot/serialize";
import type { Flags } from "./flags";
import { openStack } from "./stack-context";
import { confirm, print } from "./terminal";

const rawSchema = z.record(z.string(), z.unknown());
type RawResource = z.infer<typeof rawSchema>;

/** Secrets stay encrypted. */
const sealed = { encrypt: (text: string): string => text, decrypt: (): string => "null" };

/** The file's entry with those references that the repair has kept. */
function repaired(raw: RawResource, { state }: RepairedEntry): RawResource {
  const { id, provider, parent, dependencies, propertyDependencies, deletedWith, replaceWith } = state;
  const next: RawResource = { ...raw, id, provider, parent, deletedWith };
  for (const [field, urns] of Object.entries({ dependencies, replaceWith })) next[field] = urns.length > 0 ? urns : undefined;
  if (raw["propertyDependencies"] !== undefined && raw["propertyDependencies"] !== null) next["propertyDependencies"] = propertyDependencies;
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
}

export async function stateRepair(flags: Flags): Promise<number> {
  const { project, backend, stack } = await openStack(flags);
  const unlock = await lockStack(backend.bucket, project.name, stack);
  try {
    const latest = await backend.load(project.name, stack);
    if (latest === undefined) throw new CliError(`stack '${stack}' has no state yet`);
    const raw = z.array(rawSchema).parse(latest.resources ?? []);
    const { entries, changes } = repairState(deserializeSnapshot({ resources: raw }, sealed).resources);
    if (changes.length === 0) {
      print("The snapshot is already valid; no repairs are necessary.");
      return EXIT_CODE.ok;
    }
    for (const change of changes) print(` * ${change}`);
    await confirm(flags, "This will edit your stack's state directly, as listed above.");
    await backend.save(project.name, stack, { ...latest, resources: entries.map((entry) => repaired(raw[entry.at] ?? {}, entry)) });
  } finally {
    await unlock();
  }
  print("State repaired successfully");
  return EXIT_CODE.ok;
}
