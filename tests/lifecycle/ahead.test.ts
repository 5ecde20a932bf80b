/** Registrations that arrive at once: steps are planned in order, while the provider already checks the next resources. */
import { EngineWorld, urn } from "../support/engine-world";
import type { Behaviour, Call } from "../support/fake-provider";
import type { ProgramResource } from "../support/monitor-client";

const NAMES = ["a", "b", "c"];
const program = (value: number): ProgramResource[] => NAMES.map((n) => ({ n, a: { v: value } }));

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

/** The provider's calls about resources since the last call of this, each as `method name`. */
function asked(): string[] {
  return world.provider.calls
    .splice(0)
    .filter(({ name }) => NAMES.includes(name))
    .map(({ method, name }) => `${method} ${name}`);
}

/** A check of `a` that ends when the check of `b` has begun; `met` says whether that happened within five seconds. */
function waiting(): { behaviour: Behaviour; met: () => boolean } {
  let met = false;
  let begun: () => void = () => undefined;
  const other = new Promise<void>((resolve) => {
    begun = () => {
      met = true;
      resolve();
    };
  });
  const check = async ({ name }: Call): Promise<undefined> => {
    if (name === "b") begun();
    if (name !== "a") return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      other,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 5_000);
      }),
    ]);
    clearTimeout(timer);
  };
  return { behaviour: { check }, met: () => met };
}

test.each(["preview", "up"] as const)("in %s, the next resource is checked while one is being checked; steps come in order", async (operation) => {
  const { behaviour, met } = waiting();
  world.provider.behaviour = behaviour;
  const { ok, steps } = await world[operation](program(1), { atOnce: true });
  expect([ok, met(), steps]).toEqual([true, true, ["create a", "create b", "create c"]]);
});

test("Check and Diff are called once for each resource, whether new, unchanged or changed", async () => {
  await world.up(program(1), { atOnce: true });
  expect(asked().sort()).toEqual(NAMES.flatMap((name) => [`Check ${name}`, `Create ${name}`]).sort());
  expect((await world.up(program(1), { atOnce: true })).changes).toMatchObject({ same: 4 });
  expect(asked().sort()).toEqual(NAMES.flatMap((name) => [`Check ${name}`, `Diff ${name}`]).sort());
  expect((await world.up(program(2), { atOnce: true })).steps).toEqual(["update a", "update b", "update c"]);
  expect(asked().sort()).toEqual(NAMES.flatMap((name) => [`Check ${name}`, `Diff ${name}`, `Update ${name}`]).sort());
});

test("names that a provider makes up come from the seed with which they were checked", async () => {
  const seeds = new Map<string, string[]>();
  world.provider.behaviour = {
    check: ({ name, seed = new Uint8Array() }) => {
      seeds.set(name, [...(seeds.get(name) ?? []), Buffer.from(seed).toString("hex")]);
      return undefined;
    },
  };
  const { plan } = await world.preview(program(1), { atOnce: true, writePlan: true });
  expect(NAMES.map((name) => [plan?.get(urn(name))?.seed?.toString("hex")])).toEqual(NAMES.map((name) => seeds.get(name)));
  expect(new Set([...seeds.values()].flat()).size).toBe(3);
});

test("a failed check is reported once, on its resource, and no call is made twice", async () => {
  world.provider.behaviour = { check: ({ name }) => (name === "b" ? Promise.resolve({ failures: [["v", "is bad"]] }) : undefined) };
  const { ok, errors } = await world.preview(program(1), { atOnce: true });
  expect([ok, errors]).toEqual([false, [expect.stringMatching(/^b: .*is bad/)]]);
  expect(
    asked()
      .filter((call) => call.startsWith("Check"))
      .sort(),
  ).toEqual(["Check a", "Check b", "Check c"]);
});

test("in a run that is limited to targets, the provider is not asked about other resources", async () => {
  await world.up(program(1));
  asked();
  expect((await world.up(program(2), { atOnce: true, targets: [urn("b")] })).steps).toContain("update b");
  expect(asked()).toEqual(["Check b", "Diff b", "Update b"]);
});
