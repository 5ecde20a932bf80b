/** Generators of the fuzz test: programs, failures of providers, and operations on a stack. */
import { status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { isSecret, makeSecret, type PropertyMap, secretValue } from "../../engine/wire/values";
import { urn } from "../support/engine-world";
import { type Behaviour, Failing } from "../support/fake-provider";
import type { AliasOption, ProgramResource } from "../support/monitor-client";

/** Names in the order in which a program registers them: a resource depends only on earlier ones. */
const NAMES = ["a", "b", "c", "d", "e", "f"];
/** Names of explicit providers. A program registers each of them before its first user. */
export const PROVIDERS = ["p", "q"];

/** Text in every secret of the programs, and in nothing else. */
export const SECRET = "very-secret-";

function aliasFor(n: string, alias: string, of = "name"): AliasOption {
  const name = alias === n ? {} : { name: alias };
  if (of === "type") return { ...name, type: "exp:index:Other" };
  if (of === "noParent") return { ...name, noParent: true };
  if (of === "parent") return { ...name, parent: urn(alias) };
  if (of === "both") return { ...name, type: "exp:index:Res", noParent: true };
  return { name: alias === n ? "z" : alias };
}

const rarely = <T>(value: fc.Arbitrary<T>, freq: number): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq });

const resource = (n: string, earlier: string[], wide: boolean): fc.Arbitrary<ProgramResource> => {
  const needs = fc.subarray(earlier, { maxLength: Math.min(2, earlier.length) });
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 4 });
  const inWide = <T>(value: fc.Arbitrary<T | undefined>): fc.Arbitrary<T | undefined> => (wide ? value : fc.constant(undefined));
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
      ignoreChanges: maybe(wide ? fc.constantFrom(["v"], ['list[1]["x.y"]'], ["list[*].k"], ["list"], ["s"]) : fc.constant(["v"])),
      alias: maybe(fc.constantFrom(...NAMES)),
      replaceWith: earlier.length > 0 ? maybe(fc.subarray(earlier, { minLength: 1, maxLength: Math.min(2, earlier.length) })) : fc.constant(undefined),
      deleteBeforeReplace: maybe(fc.boolean()),
      replacementTrigger: maybe(fc.integer({ min: 0, max: 1 })),
      provider: maybe(fc.constantFrom(...PROVIDERS)),
      read: fc.integer({ min: 0, max: 11 }).map((x) => x === 0),
      type: inWide(maybe(fc.constant("exp:index:Other"))),
      aliasOf: inWide(fc.constantFrom("name", "type", "noParent", "parent", "both")),
      imported: inWide(fc.integer({ min: 0, max: 11 }).map((x) => (x < 2 ? `ext-${x}` : undefined))),
      list: inWide(maybe(fc.integer({ min: 0, max: 2 }))),
      secret: inWide(maybe(fc.integer({ min: 0, max: 2 }))),
      additionalSecretOutputs: inWide(maybe(fc.constantFrom(["out"], ["v", "out"]))),
      replaceOnChanges: inWide(maybe(fc.constantFrom(["v"], ["*"], ["list[0]"]))),
    })
    .map(({ r, v, dbr, from, dependsOn, replacesOnRef, component, alias, aliasOf, imported, list, secret, read, ...options }) => {
      const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
      const aliases = alias === undefined || (!wide && alias === n) ? {} : { aliases: [aliasFor(n, alias, aliasOf)] };
      // Some are components: these have no inputs to depend on others by.
      if (component && v === 0 && r === 0) {
        const more = { ...(options.parent ? { parent: options.parent } : {}), ...aliases };
        return { n, kind: "component" as const, ...(dependsOn.length > 0 ? { dependsOn } : {}), ...(wide ? more : {}) };
      }
      const needs = dependsOn.length > 0 ? { dependsOn } : {};
      if (read) {
        const { parent, provider: used } = options;
        return { n, kind: "read" as const, id: `ext-${r}`, ...(parent ? { parent } : {}), ...(used ? { provider: used } : {}), ...needs };
      }
      const refs = Object.fromEntries(from.map((name, i) => [`${replacesOnRef ? "r" : "v"}ef${i}`, `${name}.out`]));
      const items = list === undefined ? {} : { list: [{ k: list }, { "x.y": list, z: v }].slice(0, list + 1) };
      const hidden = secret === undefined ? {} : { s: makeSecret(`${SECRET}${secret}`) };
      const inputs = { r, v, ...(dbr ? { dbr } : {}), ...items, ...hidden };
      return { n, a: inputs, refs, dependsOn, ...set, ...(imported === undefined ? {} : { import: imported }), ...aliases };
    });
};

const provider = (n: string, wide: boolean): fc.Arbitrary<ProgramResource> =>
  fc
    .record({
      r: fc.integer({ min: 0, max: 1 }),
      v: fc.integer({ min: 0, max: 1 }),
      dbr: fc.boolean(),
      first: fc.option(fc.boolean(), { nil: undefined }),
      alias: wide ? rarely(fc.constantFrom(...PROVIDERS.filter((other) => other !== n)), 8) : fc.constant(undefined),
      protect: wide ? rarely(fc.boolean(), 8) : fc.constant(undefined),
    })
    .map(({ r, v, dbr, first, alias, protect }) => ({
      n,
      kind: "provider" as const,
      version: "1.0.0",
      a: { r, v, ...(dbr ? { dbr } : {}) },
      ...(first === undefined ? {} : { deleteBeforeReplace: first }),
      ...(protect === undefined ? {} : { protect }),
      ...(alias === undefined ? {} : { aliases: [{ name: alias }] }),
    }));

/** Puts each provider right before its first user. One with `needsEarlier` depends on the resource before it. */
function withProviders(resources: readonly ProgramResource[], providers: readonly (readonly [ProgramResource, boolean])[], wide: boolean): ProgramResource[] {
  const left = new Map(providers.map((pair) => [pair[0].n, pair]));
  return resources.flatMap((r, at) => {
    const [own, needsEarlier] = left.get(r.provider ?? "") ?? [];
    if (own === undefined) return [r];
    left.delete(own.n);
    const before = needsEarlier ? resources[at - 1] : undefined;
    if (before === undefined) return [own, r];
    const takesOutput = wide && before.kind === undefined && own.a?.["v"] === 1;
    return [{ ...own, dependsOn: [before.n], ...(takesOutput ? { refs: { vref: `${before.n}.out` } } : {}) }, r];
  });
}

const programsOf = (wide: boolean): fc.Arbitrary<ProgramResource[]> =>
  fc
    .subarray(NAMES, { minLength: 0 })
    .chain((names) =>
      fc.tuple(
        fc.tuple(...names.map((n, i): fc.Arbitrary<ProgramResource> => resource(n, names.slice(0, i), wide))),
        fc.tuple(...PROVIDERS.map((n) => fc.tuple(provider(n, wide), fc.boolean()))),
      ),
    )
    .map(([resources, providers]) => withProviders(resources, providers, wide));

/** Programs: some of the names, in order, and the providers that they use. */
export const programs = programsOf(true);

interface Mishap {
  method: "create" | "update" | "delete" | "read" | "check";
  name: string;
  partial: boolean;
  /** The call fails in a way that leaves open what it did. */
  doubt: boolean;
}

const mishapsOf = (wide: boolean): fc.Arbitrary<Mishap[]> =>
  fc.array(
    fc.record({
      method: fc.constantFrom("create", "update", "delete", "read", "check"),
      name: fc.constantFrom(...NAMES),
      partial: fc.boolean(),
      doubt: wide ? fc.nat({ max: 3 }).map((n) => n === 0) : fc.constant(false),
    }),
    { maxLength: 2 },
  );

/**
 * The behaviour of a provider with these failures. It reads resources that it did not create (`ext-…`) without marks of secrets.
 * @param alive once it returns false, every call fails. @param imported the program's inputs of an imported resource
 */
export function behaviourOf(mishaps: readonly Mishap[], alive: () => boolean, imported: (name: string) => PropertyMap = () => ({})): Behaviour {
  const go = async (method: Mishap["method"], name: string): Promise<undefined> => {
    if (!alive()) throw new Failing("the engine is dead");
    const mishap = mishaps.find((m) => m.method === method && m.name === name);
    if (mishap === undefined) return undefined;
    const partial = mishap.partial && method !== "delete" && method !== "check";
    throw new Failing(`${method} of ${name} went wrong`, partial ? ["half done"] : undefined, mishap.doubt && !partial ? status.UNAVAILABLE : status.UNKNOWN);
  };
  return {
    check: ({ name }) => (mishaps.some((m) => m.method === "check" && m.name === name) ? Promise.resolve({ failures: [["v", "is bad"]] }) : undefined),
    create: ({ name }) => go("create", name),
    update: ({ name }) => go("update", name),
    delete: ({ name }) => go("delete", name),
    read: async ({ name, id, olds, oldInputs = {} }) => {
      await go("read", name);
      if (!id?.startsWith("ext-")) return undefined;
      const { s } = olds === undefined ? imported(name) : oldInputs;
      const inputs = { r: 0, v: 0, ...(s !== undefined && isSecret(s) ? { s: secretValue(s) } : {}) };
      return { inputs, outputs: { ...inputs, out: `out-of-${id}` } };
    },
  };
}

export interface Operation {
  kind: "up" | "preview" | "refresh" | "destroy";
  program: ProgramResource[];
  mishaps: Mishap[];
  /** The engine is killed before or after this write. */
  kill: { at: number; moment: "before" | "after" } | undefined;
  target: string | undefined;
  exclude: string | undefined;
  /** Target of `--replace`; may be a provider. */
  replace: string | undefined;
  dependents: boolean;
  continueOnError: boolean;
  refresh: boolean;
  parallel: number;
  throws: boolean;
  /** The engine gets a signal after this write; with `second`, two of them. */
  signal: { at: number; second: boolean } | undefined;
  /** Names of resources that somebody deleted outside Pulumi before the operation. */
  gone: string[];
  taint: string | undefined;
  excludeProtected: boolean;
  runProgram: boolean;
}

const operationsOf = (wide: boolean): fc.Arbitrary<Operation[]> =>
  fc.array(
    fc.record({
      kind: fc.oneof({ arbitrary: fc.constant("up" as const), weight: 5 }, fc.constantFrom("preview" as const, "refresh" as const, "destroy" as const)),
      program: programsOf(wide),
      mishaps: mishapsOf(wide),
      kill: fc.option(fc.record({ at: fc.nat({ max: 12 }), moment: fc.constantFrom("before", "after") }), { nil: undefined, freq: 3 }),
      target: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
      exclude: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
      replace: rarely(fc.constantFrom(...NAMES, ...PROVIDERS), 4),
      dependents: fc.boolean(),
      continueOnError: fc.boolean(),
      refresh: fc.boolean(),
      parallel: fc.constantFrom(1, 4),
      throws: fc.nat({ max: 5 }).map((n) => n === 0),
      signal: wide ? rarely(fc.record({ at: fc.nat({ max: 12 }), second: fc.boolean() }), 6) : fc.constant(undefined),
      gone: wide ? fc.array(fc.constantFrom(...NAMES), { maxLength: 1 }) : fc.constant([]),
      taint: wide ? rarely(fc.constantFrom(...NAMES), 6) : fc.constant(undefined),
      excludeProtected: wide ? fc.boolean() : fc.constant(false),
      runProgram: wide ? fc.boolean() : fc.constant(false),
    }),
    { minLength: 1, maxLength: 4 },
  );

export const operations = operationsOf(true);

/** Operations for the comparison with the CLI, which has no imports, secrets, signals, other types, or deletions by somebody else. */
export const plainOperations = operationsOf(false);
