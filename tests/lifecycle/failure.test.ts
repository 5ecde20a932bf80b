import { status } from "@grpc/grpc-js";
import { UNKNOWN } from "../../common/signatures";
import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const failing = (...names: string[]) => ({ create: ({ name }: { name: string }) => (names.includes(name) ? Promise.reject(new Failing("quota")) : undefined) });

describe("providers that fail", () => {
  test("a failed creation stops the run: nothing is deleted, what was made is kept, and the next run goes on", async () => {
    await world.up([{ n: "gone" }]);
    world.provider.behaviour = failing("b");
    expect(await world.up([{ n: "a" }, { n: "b" }, { n: "c" }])).toMatchObject({
      ok: false,
      steps: ["create a", "create b"],
      errors: ["b: quota", "update failed"],
    });
    expect(world.names).toEqual(["a", "gone"]);
    world.provider.behaviour = {};
    expect((await world.up([{ n: "a" }, { n: "b" }, { n: "c" }])).steps).toEqual(["same a", "create b", "create c", "delete gone"]);
  });

  test("codes that a provider tells are in the events as data; one that tells none adds nothing", async () => {
    world.provider.behaviour = { create: () => Promise.reject(new Failing("no room", undefined, status.UNKNOWN, ["503", "PVE_LOCK"])) };
    expect(await world.up([{ n: "a" }])).toMatchObject({ ok: false, errors: ["a: no room", "update failed"], codes: [["503", "PVE_LOCK"]] });
    world.provider.behaviour = failing("a");
    expect(await world.up([{ n: "a" }])).toMatchObject({ ok: false, errors: ["a: quota", "update failed"], codes: [] });
  });

  test("a failed update keeps the old state", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.behaviour = { update: () => Promise.reject(new Failing("no")) };
    expect(await world.up([{ n: "a", a: { v: 2 } }])).toMatchObject({ ok: false, errors: ["a: no", "update failed"] });
    expect(world.state("a")).toMatchObject({ inputs: { v: 1 }, outputs: { v: 1 } });
  });

  test("a creation that half succeeded is in the state with its reasons, and is updated next", async () => {
    world.provider.behaviour = { create: () => Promise.reject(new Failing("init failed", ["one", "two"])) };
    expect(await world.up([{ n: "a", a: { v: 1 } }])).toMatchObject({ ok: false, errors: ["a: init failed\n\t* one\n\t* two", "update failed"] });
    expect(world.state("a")).toMatchObject({ id: "a-1", initErrors: ["one", "two"] });
    world.provider.behaviour = {};
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["update a"]);
    expect(world.state("a")?.initErrors).toEqual([]);
  });

  test("an update that half succeeded keeps the old inputs, so that it is tried again", async () => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    world.provider.behaviour = { update: () => Promise.reject(new Failing("init failed", ["slow"])) };
    await world.up([{ n: "a", a: { v: 2 } }]);
    expect(world.state("a")).toMatchObject({ inputs: { v: 1 }, outputs: { v: 2 }, initErrors: ["slow"] });
  });

  test("a check that breaks is shown on its resource", async () => {
    world.provider.behaviour = { check: () => Promise.reject(new Failing("broken", undefined, status.INTERNAL)) };
    const outcome = await world.up([{ n: "a" }]);
    expect([outcome.ok, outcome.errors]).toEqual([false, [expect.stringMatching(/^a: .*broken/)]]);
  });

  test("--continue-on-error continues with resources that do not depend on the failed one, and keeps its dependencies", async () => {
    await world.up([{ n: "old" }, { n: "b", dependsOn: ["old"], a: { v: 1 } }, { n: "drop" }]);
    world.provider.behaviour = { update: () => Promise.reject(new Failing("no")) };
    const outcome = await world.up([{ n: "b", a: { v: 2 } }, { n: "c", dependsOn: ["b"] }, { n: "d" }], { continueOnError: true });
    expect(outcome).toMatchObject({ ok: false, steps: ["update b", "create d", "delete drop"], errors: ["b: no", "update failed"] });
    expect(world.names.sort()).toEqual(["b", "d", "old"]);
  });
});

describe("programs that fail", () => {
  test("one that throws deletes nothing, and keeps what it registered", async () => {
    await world.up([{ n: "a" }, { n: "b" }]);
    const outcome = await world.up([{ n: "a" }, { n: "c" }], { ends: { throws: "boom" } });
    expect(outcome).toMatchObject({ ok: false, steps: ["same a", "create c"], errors: ["an unhandled error occurred: boom"] });
    expect(world.names).toEqual(["a", "c", "b"]);
  });

  test("a program that has printed its own error ends without another message", async () => {
    expect(await world.up([{ n: "a" }], { ends: "bail" })).toMatchObject({ ok: false, errors: [] });
  });
});

describe("cancellation and crashes", () => {
  test("the first signal lets the running step finish, starts no other, and says so", async () => {
    const controller = new AbortController();
    world.provider.behaviour = {
      create: async () => {
        controller.abort();
        return undefined;
      },
    };
    const outcome = await world.up([{ n: "a" }, { n: "b" }], { signal: controller.signal });
    expect(outcome).toMatchObject({ ok: false, steps: ["create a"], errors: ["update canceled"] });
    expect([world.names, [...world.provider.world.keys()]]).toEqual([["a"], ["a-1"]]);
  });

  test("a kill in the middle of a creation leaves it pending; later runs say so until it is cleared", async () => {
    let dead = false;
    world.provider.behaviour = {
      create: async () => {
        dead = true;
        return undefined;
      },
    };
    const die = () => {
      if (dead) throw new Error("killed");
    };
    await world.up([{ n: "a" }], { onWrite: die }).catch(() => undefined);
    expect(world.snapshot.pendingOperations.map(({ type, resource }) => [type, resource.urn])).toEqual([["creating", urn("a")]]);
    dead = false;
    world.provider.behaviour = {};
    const next = await world.up([{ n: "a" }]);
    expect(next).toMatchObject({ ok: true, steps: ["create a"], warnings: [expect.stringContaining(`* ${urn("a")}, interrupted while creating`)] });
    expect(world.snapshot.pendingOperations).toHaveLength(1);
    expect((await world.refresh({ clearPendingCreates: true })).ok).toBe(true);
    expect(world.snapshot.pendingOperations).toEqual([]);
  });
});

test("with --continue-on-error a partly created resource has outputs, and one that cannot be read has none; no provider gets unknown values", async () => {
  world.provider.behaviour = {
    create: async ({ name }) => {
      if (name === "half") throw new Failing("half", ["not ready"]);
      if (name === "none") throw new Failing("none");
      return undefined;
    },
    read: async () => null,
  };
  const outcome = await world.up(
    [
      { n: "half", a: { v: 1 } },
      { n: "none", a: { v: UNKNOWN } },
      { n: "gone", kind: "read", id: "x" },
      { n: "free", a: { v: 1 } },
    ],
    { continueOnError: true },
  );
  expect([outcome.ok, world.names]).toEqual([false, ["half", "free"]]);
  expect(world.provider.calls.find(({ method, name }) => method === "Check" && name === "none")?.news).toEqual({});
});

test.each(["create", "update", "delete"] as const)(
  "a connection that is cut during a %s leaves the operation noted: nobody knows what it did",
  async (method) => {
    await world.up([{ n: "old" }, { n: "a", a: { v: 1 } }].slice(0, method === "create" ? 1 : 2));
    const cut = async (): Promise<never> => {
      throw new Failing("the connection was cut", undefined, status.UNAVAILABLE);
    };
    world.provider.behaviour = { [method]: cut };
    const program = method === "delete" ? [{ n: "old" }] : [{ n: "old" }, { n: "a", a: { v: 2 } }];
    expect(await world.up(program)).toMatchObject({ ok: false });
    const type = { create: "creating", update: "updating", delete: "deleting" }[method];
    expect(world.snapshot.pendingOperations).toMatchObject([{ type, resource: { urn: urn("a") } }]);
  },
);

test("a failed refresh keeps what it has read: inputs, outputs and the reasons of unhealthy resources", async () => {
  await world.up([{ n: "a", a: { v: 1 } }, { n: "b" }, { n: "c" }]);
  world.provider.behaviour = {
    read: async ({ name, id = "" }) => {
      if (name === "b") throw new Failing("b cannot be read");
      return { id, inputs: { v: 7 }, outputs: { v: 7, out: `new-${name}` } };
    },
  };
  expect(await world.refresh()).toMatchObject({ ok: false });
  for (const name of ["a", "c"]) expect(world.state(name)).toMatchObject({ inputs: { v: 7 }, outputs: { v: 7, out: `new-${name}` } });
  expect(world.state("b")).toMatchObject({ outputs: { out: "out-of-b-2" } });
});
