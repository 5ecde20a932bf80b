import { HomelabError } from "../../common/errors";
import { parseProviderReference } from "../wire/urn";
import type { ResourceState } from "./types";

/**
 * The rules that every written and every read state keeps:
 *  1. a provider reference names a provider that stands earlier, with that id;
 *  2. the parent stands earlier;
 *  3. each dependency, also of single properties, stands earlier;
 *  4. what a resource is deleted or replaced with stands earlier;
 *  5. no URN stands twice, but for entries that wait for their deletion;
 *  6. a component has no id, and a component or provider has no provider.
 * Returns the first broken rule as text, or undefined.
 */
export function brokenRule(resources: readonly ResourceState[]): string | undefined {
  const seen = new Set<string>();
  const providers = new Set<string>();
  for (const r of resources) {
    if (r.provider !== undefined) {
      const { urn } = parseProviderReference(r.provider);
      if (!providers.has(r.provider)) return `rule 1: ${r.urn} uses provider ${urn}, which does not stand before it with that id`;
    }
    if (r.parent !== undefined && !seen.has(r.parent)) return `rule 2: ${r.urn} stands before its parent ${r.parent}`;
    const dependencies = [...r.dependencies, ...Object.values(r.propertyDependencies ?? {}).flat()];
    const early = dependencies.find((urn) => !seen.has(urn));
    if (early !== undefined) return `rule 3: ${r.urn} stands before its dependency ${early}`;
    if (r.deletedWith !== undefined && !seen.has(r.deletedWith)) return `rule 4: ${r.urn} stands before ${r.deletedWith}, with which it is deleted`;
    const cascade = r.replaceWith.find((urn) => !seen.has(urn));
    if (cascade !== undefined) return `rule 4: ${r.urn} stands before ${cascade}, with which it is replaced`;
    if (!r.delete && seen.has(r.urn) && resources.some((other) => other !== r && other.urn === r.urn && !other.delete)) return `rule 5: ${r.urn} stands twice`;
    if (!r.custom && (r.id !== undefined || r.provider !== undefined)) return `rule 6: component ${r.urn} has an id or a provider`;
    seen.add(r.urn);
    if (r.type.startsWith("pulumi:providers:") && r.id !== undefined) providers.add(`${r.urn}::${r.id}`);
  }
  return undefined;
}

/** @throws HomelabError E_STATE_INTEGRITY */
export function checkIntegrity(resources: readonly ResourceState[], source: string): void {
  const broken = brokenRule(resources);
  if (broken === undefined) return;
  throw new HomelabError("E_STATE_INTEGRITY", `snapshot integrity failure; refusing to use it (${source}): ${broken}`, {
    subject: source,
    hint: "restore the stack's .bak file or import an export that you trust",
  });
}
