/** A URN: `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
export const STACK_TYPE = "pulumi:pulumi:Stack";
export const PROVIDER_PREFIX = "pulumi:providers:";

export interface UrnParts {
  stack: string;
  project: string;
  /** Types of the ancestors and its own, joined by `$`. */
  qualifiedType: string;
  name: string;
}

const URN = /^urn:pulumi:(.*?)::(.*?)::(.*?)::(.*)$/s;

export const isUrn = (text: string): boolean => URN.test(text);

export function parseUrn(urn: string): UrnParts {
  const match = URN.exec(urn);
  if (match === null) throw new Error(`not a URN: ${urn}`);
  const [, stack = "", project = "", qualifiedType = "", name = ""] = match;
  return { stack, project, qualifiedType, name };
}

export const urnName = (urn: string): string => parseUrn(urn).name;
export const urnType = (urn: string): string => parseUrn(urn).qualifiedType.split("$").at(-1) ?? "";

/** @param parentUrn undefined, or the root stack's: neither leaves a trace in the URN */
export function makeUrn(stack: string, project: string, parentUrn: string | undefined, type: string, name: string): string {
  const parentType = parentUrn === undefined ? "" : parseUrn(parentUrn).qualifiedType;
  const qualified = parentType === "" || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

/** The package of a resource type or function token: what stands before the first colon. */
export const packageOf = (token: string): string => token.split(":")[0] ?? "";
/** The package of a provider, from the reference to it. */
export const packageOfReference = (reference: string): string => providerPackage(urnType(parseProviderReference(reference).urn));
export const isProviderType = (type: string): boolean => type.startsWith(PROVIDER_PREFIX);
export const providerPackage = (type: string): string => type.slice(PROVIDER_PREFIX.length);

/** A provider reference is `<urn>::<id>`. */
export function parseProviderReference(reference: string): { urn: string; id: string } {
  const at = reference.lastIndexOf("::");
  if (at < 0) throw new Error(`not a provider reference: ${reference}`);
  return { urn: reference.slice(0, at), id: reference.slice(at + 2) };
}
