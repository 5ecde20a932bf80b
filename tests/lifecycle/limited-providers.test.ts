// Hundreds of runs: over a network the calls would be nine tenths of the time.
jest.mock("@grpc/grpc-js", () => require("../support/memory-grpc").inMemory(jest.requireActual("@grpc/grpc-js")));
jest.mock("../../common/grpc/unary-server", () => require("../support/memory-grpc").serverInMemory());
jest.mock("../../common/grpc/unary-client", () => require("../support/memory-grpc").clientInMemory(jest.requireActual("../../common/grpc/unary-client")));

import { brokenRule } from "../../engine/snapshot/integrity";
import type { PropertyMap } from "../../engine/wire/values";
import { EngineWorld, type RunOptions, urn } from "../support/engine-world";
import type { ProgramResource } from "../support/monitor-client";

/** Limited operations on a program that changes the providers of its resources, their names and their parents. */
type Options = Omit<ProgramResource, "n" | "kind" | "a">;
const provider = (n: string, a: PropertyMap = {}, options: Options = {}): ProgramResource => ({ n, kind: "provider", a, ...options });
const resource = (n: string, used?: string, options: Options = {}): ProgramResource => ({ n, a: { v: 1 }, ...(used ? { provider: used } : {}), ...options });

/** Two independent resources, a child of the first, and one that depends on the second. */
const users = (first?: string, second?: string): ProgramResource[] => [
  resource("a", first),
  resource("b", second),
  resource("x", second, { parent: "a" }),
  resource("c", first, { dependsOn: ["b"] }),
];
const both = [provider("p"), provider("q")];
const before = [...both, ...users("p", "q")];
const later = (q: ProgramResource): ProgramResource[] => [
  provider("p"),
  resource("a", "p"),
  resource("b", "p"),
  q,
  resource("x", "q", { parent: "a" }),
  resource("c", "q", { dependsOn: ["b"] }),
];

const CHANGES: Record<string, ProgramResource[]> = {
  "each other's provider": [...both, ...users("q", "p")],
  "the default provider": [...both, ...users()],
  "a new provider": [provider("n"), ...both, ...users("n", "n")],
  "the one that is left": [provider("p"), ...users("p", "p")],
  "a provider that comes later now": later(provider("q")),
  "a provider that needs its former user": later(provider("q", {}, { dependsOn: ["b"] })),
  "a provider that is made anew": [provider("p", { r: 1 }), provider("q", { r: 1 }), ...users("p", "q")],
  "a provider that is deleted first": [provider("p", { r: 1, dbr: true }), provider("q", { r: 1, dbr: true }), ...users("p", "q")],
  "a provider of another name": [provider("p2", {}, { aliases: [{ name: "p" }] }), provider("q2", {}, { aliases: [{ name: "q" }] }), ...users("p2", "q2")],
  "another name, and provider": [
    ...both,
    resource("a2", "q", { aliases: [{ name: "a" }] }),
    resource("b2", "p", { aliases: [{ name: "b" }] }),
    resource("x", "q", { parent: "a2" }),
    resource("c", "p", { dependsOn: ["b2"] }),
  ],
  "another parent, and provider": [
    ...both,
    resource("b", "p"),
    resource("a", "q", { parent: "b", aliases: [{ noParent: true }] }),
    resource("x", "p", { parent: "b", aliases: [{ parent: urn("a") }] }),
    resource("c", "q", { dependsOn: ["b"] }),
  ],
};

const Q = urn("q", "pulumi:providers:exp");
const LIMITS: Record<string, RunOptions> = {
  "--target a": { targets: [urn("a")] },
  "--target b --target-dependents": { targets: [urn("b")], targetDependents: true },
  "--target **c": { targets: ["**::c"] },
  "--target q": { targets: [Q] },
  "--target q --target-dependents": { targets: [Q], targetDependents: true },
  "--exclude a": { excludes: [urn("a")] },
  "--exclude b --exclude-dependents": { excludes: [urn("b")], excludeDependents: true },
  "--exclude q": { excludes: [Q] },
  "--exclude q --exclude-dependents": { excludes: [Q], excludeDependents: true },
  "--target b --refresh": { targets: [urn("b")], refresh: true },
};

/** Limits that are refused, since a resource outside them needs a provider that the program now registers after it. */
const REFUSED = Object.fromEntries(
  ["a provider that comes later now", "a provider that needs its former user"].map((change) => [
    change,
    ["--target a", "--target **c", "--target q", "--target q --target-dependents", "--exclude b --exclude-dependents"],
  ]),
);

let world: EngineWorld;
afterEach(() => world.close());

const cases = Object.keys(CHANGES).flatMap((change) => Object.keys(LIMITS).map((limits): [string, string] => [change, limits]));

test.each(cases)("%s, with %s", async (change, limits) => {
  world = await EngineWorld.start();
  expect((await world.up(before)).ok).toBe(true);
  const program = CHANGES[change] ?? [];
  const used = world.state("b")?.provider;
  const errors = REFUSED[change]?.includes(limits)
    ? [
        `b: provider ${used} for resource ${urn("b")} has not been registered yet, this is due to a change of providers mixed with --target. Change your program back to the original providers`,
      ]
    : [];
  expect((await world.preview(program, LIMITS[limits])).errors).toEqual(errors);
  const outcome = await world.up(program, LIMITS[limits]);
  expect([outcome.ok, outcome.errors, brokenRule(outcome.state)]).toEqual([errors.length === 0, errors, undefined]);
  // Later runs without limits succeed.
  expect((await world.up(program)).errors).toEqual([]);
  const rest = await world.preview(program);
  expect([rest.errors, Object.keys(rest.changes)]).toEqual([[], ["same"]]);
  expect((await world.destroy()).errors).toEqual([]);
  expect([world.names, world.provider.world.size]).toEqual([[], 0]);
});

test("a resource that a limited run kept for a dependent, and that the program registers after it, is refused with the dependent's name", async () => {
  world = await EngineWorld.start();
  await world.up([resource("a"), resource("b", undefined, { dependsOn: ["a"] }), resource("c")]);
  const outcome = await world.up([resource("b"), resource("a"), resource("c")], { targets: [urn("c")] });
  expect(outcome).toMatchObject({
    ok: false,
    errors: [
      `a: Duplicate resource URN '${urn("a")}'; '${urn("b")}' needs it, which this limited operation leaves as it is, and which the program registers first: include it, or run without limits`,
    ],
  });
});
