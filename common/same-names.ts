/** A name, and whose it is. */
export interface OwnedName {
  readonly name: string;
  readonly owner: string;
}

/**
 * The first two owners of one name. Names that are joined of free parts can be the same although no part is: `shop` with `a-b`, and
 * `shop-a` with `b`.
 */
export function sameName(names: Iterable<OwnedName>): { readonly name: string; readonly owners: readonly [string, string] } | undefined {
  const owners = new Map<string, string>();
  for (const { name, owner } of names) {
    const other = owners.get(name);
    if (other !== undefined) return { name, owners: [other, owner] };
    owners.set(name, owner);
  }
  return undefined;
}
