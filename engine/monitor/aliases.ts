/** Older URNs under which a resource may be known: given by the program, and inherited from renamed ancestors (engine-contract F2). */
import type { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import { makeUrn, parseUrn } from "../wire/urn";

interface Named {
  stack: string;
  project: string;
  type: string;
  name: string;
  parent: string | undefined;
}

function specUrn(alias: Alias, own: Named, formerUrn: (urn: string) => string | undefined): string {
  const spec = alias.getSpec();
  if (spec === undefined) return alias.getUrn();
  const given = spec.getParenturn();
  const parent = spec.getNoparent() ? undefined : given !== "" ? (formerUrn(given) ?? given) : own.parent;
  return makeUrn(spec.getStack() || own.stack, spec.getProject() || own.project, parent, spec.getType() || own.type, spec.getName() || own.name);
}

/** The name that a child had while its parent had the old name: names begin with their parent's by convention. */
function formerName(name: string, parentName: string, oldParentName: string): string {
  return name.startsWith(parentName) ? oldParentName + name.slice(parentName.length) : name;
}

/**
 * @param formerUrn the URN under which a resource of this run was found in the state, where that is another
 * @param urns aliases that the SDK resolved itself
 */
export function aliasUrns(own: Named, aliases: readonly Alias[], urns: readonly string[], formerUrn: (urn: string) => string | undefined): string[] {
  const given = [...aliases.map((alias) => specUrn(alias, own, formerUrn)), ...urns];
  const oldParent = own.parent === undefined ? undefined : formerUrn(own.parent);
  if (own.parent === undefined || oldParent === undefined) return given;
  const parentName = parseUrn(own.parent).name;
  const oldParentName = parseUrn(oldParent).name;
  const inherited = makeUrn(own.stack, own.project, oldParent, own.type, formerName(own.name, parentName, oldParentName));
  const both = given.map((urn) => {
    const { stack, project, qualifiedType, name } = parseUrn(urn);
    return makeUrn(stack, project, oldParent, qualifiedType.split("$").at(-1) ?? own.type, formerName(name, parentName, oldParentName));
  });
  return [...new Set([...given, inherited, ...both])];
}
