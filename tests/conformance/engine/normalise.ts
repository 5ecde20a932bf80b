/** Removes from the observations all that differs from run to run, and sorts what may come in any order. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface Entry {
  urn?: string;
  id?: string;
  method?: string;
  args?: Json;
  parent?: string;
  provider?: string;
  dependencies?: string[];
}

const NOISE = new Set(["time", "magic", "version", "created", "modified", "sourcePosition", "sourcePositions", "stackTrace", "secrets_providers", "taint"]);
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** URN prefixes, folders, times and UUIDs (named after the resource that has them) are replaced. */
export class Normaliser {
  readonly #uuids = new Map<string, string>();
  readonly #perName = new Map<string, number>();

  constructor(
    private readonly folder: string,
    private readonly project = "conf",
  ) {}

  learn(resources: readonly Entry[]): void {
    for (const { id, urn } of resources) {
      if (id === undefined || id.match(UUID) === null || this.#uuids.has(id)) continue;
      const name = urn?.split("::").at(-1) ?? "";
      const count = (this.#perName.get(name) ?? 0) + 1;
      this.#perName.set(name, count);
      this.#uuids.set(id, `<uuid ${name} ${count}>`);
    }
  }

  #text(text: string): string {
    return text
      .replaceAll(`urn:pulumi:dev::${this.project}::`, "")
      .replaceAll(this.folder, "<dir>")
      .replace(UUID, (uuid) => (uuid === UNKNOWN ? "<unknown>" : (this.#uuids.get(uuid) ?? "<uuid>")));
  }

  apply(value: Json | undefined): Json {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.apply(item));
    if (typeof value !== "object" || value === null) return value ?? null;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, item]) => !NOISE.has(key) && item !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [this.#text(key), this.#field(key, item)]),
    );
  }

  #field(key: string, item: Json): Json {
    const sorted = (list: Json): Json => (Array.isArray(list) ? [...list].sort() : list);
    if (key === "dependencies") return sorted(this.apply(item));
    if (key === "propertyDependencies" && typeof item === "object" && item !== null && !Array.isArray(item))
      return this.apply(Object.fromEntries(Object.entries(item).map(([name, urns]) => [name, sorted(urns ?? [])])));
    return this.apply(item);
  }
}

/** Independent resources may go in any order: what belongs to one URN keeps its order, the groups are sorted. */
export function grouped<T extends Entry>(list: readonly T[]): T[] {
  const key = (x: T): string => x.urn ?? `${x.method}${JSON.stringify(x.args ?? {})}`;
  return list
    .map((x, i) => ({ x, i, k: key(x) }))
    .sort((a, b) => (a.k < b.k ? -1 : a.k > b.k ? 1 : a.i - b.i))
    .map(({ x }) => x);
}

const needs = (r: Entry): string[] => [...(r.dependencies ?? []), ...(r.parent ? [r.parent] : []), ...(r.provider ? [r.provider.replace(/::[^:]*$/, "")] : [])];

/** Violations of the order that matters, in the raw lists. */
export function orderFaults(before: readonly Entry[], after: readonly Entry[], calls: readonly Entry[]): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const r of after) {
    for (const need of needs(r)) if (!seen.has(need)) faults.push(`state: ${r.urn} stands before ${need}`);
    seen.add(r.urn ?? "");
  }
  const first = (urn: string | undefined, ...methods: string[]): number => calls.findIndex((c) => c.urn === urn && methods.includes(c.method ?? ""));
  const last = (urn: string | undefined, ...methods: string[]): number => calls.findLastIndex((c) => c.urn === urn && methods.includes(c.method ?? ""));
  for (const r of after)
    for (const need of r.dependencies ?? []) {
      const [made, used] = [first(need, "Create", "Update"), first(r.urn, "Create", "Update")];
      if (made >= 0 && used >= 0 && used < made) faults.push(`calls: ${r.urn} was made before ${need}`);
    }
  for (const r of before)
    for (const need of r.dependencies ?? []) {
      const [gone, user] = [first(need, "Delete"), last(r.urn, "Delete")];
      if (gone >= 0 && user >= 0 && gone < user && first(need, "Create") < 0) faults.push(`calls: ${need} was deleted before ${r.urn}`);
    }
  return faults;
}
