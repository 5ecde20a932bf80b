/** What the fuzz test generates: programs, mishaps, and operations on a stack. */
import * as fc from "fast-check";
import { type Behaviour, Failing } from "../support/fake-provider";
import type { ProgramResource } from "../support/monitor-client";

/** Names in the order in which a program registers them: a resource only needs what stands before it. */
const NAMES = ["a", "b", "c", "d", "e", "f"];
/** Explicit providers, registered before all else where something uses them. */
export const PROVIDERS = ["p", "q"];

const resource = (n: string, earlier: string[]): fc.Arbitrary<ProgramResource> => {
  const needs = fc.subarray(earlier, { maxLength: Math.min(2, earlier.length) });
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 4 });
  return fc
    .record({
      r: fc.integer({ min: 0, max: 1 }),
      v: fc.integer({ min: 0, max: 2 }),
      dbr: fc.boolean(),
      from: needs,
      dependsOn: needs,
      replacesOnRef: fc.boolean(),
      component: fc.boolean(),
      protect: maybe(fc.boolean()),
      retainOnDelete: maybe(fc.boolean()),
      deletedWith: earlier.length > 0 ? maybe(fc.constantFrom(...earlier)) : fc.constant(undefined),
      parent: earlier.length > 0 ? maybe(fc.constantFrom(...earlier)) : fc.constant(undefined),
      ignoreChanges: maybe(fc.constant(["v"])),
      alias: maybe(fc.constantFrom(...NAMES)),
      replaceWith: earlier.length > 0 ? maybe(fc.subarray(earlier, { minLength: 1, maxLength: Math.min(2, earlier.length) })) : fc.constant(undefined),
      deleteBeforeReplace: maybe(fc.boolean()),
      replacementTrigger: maybe(fc.integer({ min: 0, max: 1 })),
      provider: maybe(fc.constantFrom(...PROVIDERS)),
      read: fc.integer({ min: 0, max: 11 }).map((x) => x === 0),
    })
    .map(({ r, v, dbr, from, dependsOn, replacesOnRef, component, alias, read, ...options }) => {
      const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
      // A component in five: it has no inputs to depend on others by.
      if (component && v === 0 && r === 0) return { n, kind: "component" as const, ...(dependsOn.length > 0 ? { dependsOn } : {}) };
      const needs = dependsOn.length > 0 ? { dependsOn } : {};
      if (read) {
        const { parent, provider: used } = options;
        return { n, kind: "read" as const, id: `ext-${r}`, ...(parent ? { parent } : {}), ...(used ? { provider: used } : {}), ...needs };
      }
      const refs = Object.fromEntries(from.map((name, i) => [`${replacesOnRef ? "r" : "v"}ef${i}`, `${name}.out`]));
      return { n, a: { r, v, ...(dbr ? { dbr } : {}) }, refs, dependsOn, ...set, ...(alias && alias !== n ? { aliases: [{ name: alias }] } : {}) };
    });
};

const provider = (n: string): fc.Arbitrary<ProgramResource> =>
  fc
    .record({ r: fc.integer({ min: 0, max: 1 }), v: fc.integer({ min: 0, max: 1 }), dbr: fc.boolean(), first: fc.option(fc.boolean(), { nil: undefined }) })
    .map(({ r, v, dbr, first }) => ({
      n,
      kind: "provider" as const,
      version: "1.0.0",
      a: { r, v, ...(dbr ? { dbr } : {}) },
      ...(first === undefined ? {} : { deleteBeforeReplace: first }),
    }));

/** Each provider right before its first user; one that `needsEarlier` needs the resource that stands before it. */
function withProviders(resources: readonly ProgramResource[], providers: readonly (readonly [ProgramResource, boolean])[]): ProgramResource[] {
  const left = new Map(providers.map((pair) => [pair[0].n, pair]));
  return resources.flatMap((r, at) => {
    const [own, needsEarlier] = left.get(r.provider ?? "") ?? [];
    if (own === undefined) return [r];
    left.delete(own.n);
    const before = needsEarlier ? resources[at - 1] : undefined;
    return [before === undefined ? own : { ...own, dependsOn: [before.n] }, r];
  });
}

/** A program: some of the names, in order, and the providers that they use. */
export const programs: fc.Arbitrary<ProgramResource[]> = fc
  .subarray(NAMES, { minLength: 0 })
  .chain((names) =>
    fc.tuple(
      fc.tuple(...names.map((n, i): fc.Arbitrary<ProgramResource> => resource(n, names.slice(0, i)))),
      fc.tuple(...PROVIDERS.map((n) => fc.tuple(provider(n), fc.boolean()))),
    ),
  )
  .map(([resources, providers]) => withProviders(resources, providers));

interface Mishap {
  method: "create" | "update" | "delete" | "read" | "check";
  name: string;
  partial: boolean;
}

const mishaps: fc.Arbitrary<Mishap[]> = fc.array(
  fc.record({ method: fc.constantFrom("create", "update", "delete", "read", "check"), name: fc.constantFrom(...NAMES), partial: fc.boolean() }),
  { maxLength: 2 },
);

/** How a provider behaves with these mishaps. @param alive false: nothing works any more */
export function behaviourOf(mishaps: readonly Mishap[], alive: () => boolean): Behaviour {
  const go = async (method: Mishap["method"], name: string): Promise<undefined> => {
    if (!alive()) throw new Failing("the engine is dead");
    const mishap = mishaps.find((m) => m.method === method && m.name === name);
    if (mishap === undefined) return undefined;
    throw new Failing(`${method} of ${name} went wrong`, mishap.partial && method !== "delete" && method !== "check" ? ["half done"] : undefined);
  };
  return {
    check: ({ name }) => (mishaps.some((m) => m.method === "check" && m.name === name) ? Promise.resolve({ failures: [["v", "is bad"]] }) : undefined),
    create: ({ name }) => go("create", name),
    update: ({ name }) => go("update", name),
    delete: ({ name }) => go("delete", name),
    read: async ({ name, id }) => {
      await go("read", name);
      return id?.startsWith("ext-") ? { outputs: { out: `out-of-${id}` } } : undefined;
    },
  };
}

export interface Operation {
  kind: "up" | "preview" | "refresh" | "destroy";
  program: ProgramResource[];
  mishaps: Mishap[];
  /** The run dies at this write, before or after it. */
  kill: { at: number; moment: "before" | "after" } | undefined;
  target: string | undefined;
  exclude: string | undefined;
  /** `--replace`, also of a provider. */
  replace: string | undefined;
  dependents: boolean;
  continueOnError: boolean;
  refresh: boolean;
  parallel: number;
  throws: boolean;
}

const rarely = <T>(value: fc.Arbitrary<T>, freq: number): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq });

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.record({
    kind: fc.oneof({ arbitrary: fc.constant("up" as const), weight: 5 }, fc.constantFrom("preview" as const, "refresh" as const, "destroy" as const)),
    program: programs,
    mishaps,
    kill: fc.option(fc.record({ at: fc.nat({ max: 12 }), moment: fc.constantFrom("before", "after") }), { nil: undefined, freq: 3 }),
    target: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
    exclude: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
    replace: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
    dependents: fc.boolean(),
    continueOnError: fc.boolean(),
    refresh: fc.boolean(),
    parallel: fc.constantFrom(1, 4),
    throws: fc.nat({ max: 5 }).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 4 },
);
