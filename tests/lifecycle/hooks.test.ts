import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { RegisterErrorHookRequest, RegisterResourceHookRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { fromStruct } from "../../engine/wire/struct";
import { CallbackServer } from "../support/callback-server";
import { EngineWorld, urn } from "../support/engine-world";
import { Failing } from "../support/fake-provider";

let world: EngineWorld;
let callbacks: CallbackServer;
let seen: unknown[];
beforeEach(async () => {
  world = await EngineWorld.start();
  callbacks = await CallbackServer.start();
  seen = [];
});
afterEach(() => {
  world.close();
  callbacks.close();
});

const NAMES = ["bc", "ac", "bu", "au", "bd", "ad"] as const;
const all = {
  beforeCreateList: ["bc"],
  afterCreateList: ["ac"],
  beforeUpdateList: ["bu"],
  afterUpdateList: ["au"],
  beforeDeleteList: ["bd"],
  afterDeleteList: ["ad"],
};

/** Registers a hook for each name of NAMES; one of them may fail. */
function hooks(options: { fails?: string; ignoreErrors?: boolean; onDryRun?: boolean } = {}) {
  return async (client: ResourceMonitorClient): Promise<void> => {
    for (const name of NAMES) {
      const request = new RegisterResourceHookRequest()
        .setName(name)
        .setOnDryRun(options.onDryRun ?? false)
        .setIgnoreErrors(options.ignoreErrors ?? false);
      request.setCallback(
        callbacks.hook((asked) => {
          const values = { ni: asked.getNewInputs(), oi: asked.getOldInputs(), no: asked.getNewOutputs(), oo: asked.getOldOutputs() };
          const given = Object.fromEntries(
            Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, fromStruct(value)["v"] ?? null]])),
          );
          seen.push([name, asked.getName(), asked.getId(), given]);
          return name === options.fails ? "says no" : undefined;
        }),
      );
      await new Promise<void>((resolve, reject) => client.registerResourceHook(request, (error) => (error === null ? resolve() : reject(error))));
    }
  };
}

test("hooks run before and after each step with the values known then; the state names them; a replacement runs those of its creation and its deletion", async () => {
  const prepare = hooks();
  await world.up([{ n: "a", a: { v: 1, r: 1 }, hooks: all }], { prepare });
  expect(seen.splice(0)).toEqual([
    ["bc", "a", "", { ni: 1 }],
    ["ac", "a", "a-1", { ni: 1, no: 1 }],
  ]);
  expect(world.state("a")?.resourceHooks).toEqual({
    BeforeCreate: ["bc"],
    AfterCreate: ["ac"],
    BeforeUpdate: ["bu"],
    AfterUpdate: ["au"],
    BeforeDelete: ["bd"],
    AfterDelete: ["ad"],
  });
  await world.up([{ n: "a", a: { v: 2, r: 1 }, hooks: all }], { prepare });
  expect(seen.splice(0)).toEqual([
    ["bu", "a", "a-1", { ni: 2, oi: 1, oo: 1 }],
    ["au", "a", "a-1", { ni: 2, oi: 1, no: 2, oo: 1 }],
  ]);
  await world.up([{ n: "a", a: { v: 3, r: 2 }, hooks: all }], { prepare });
  expect(seen.splice(0).map((entry) => (Array.isArray(entry) ? entry.slice(0, 3) : entry))).toEqual([
    ["bc", "a", ""],
    ["ac", "a", "a-2"],
    ["bd", "a", "a-1"],
    ["ad", "a", "a-1"],
  ]);
  await world.up([{ n: "a", a: { v: 3, r: 2 }, hooks: all }], { prepare });
  expect(seen).toEqual([]);
});

test("a component's after hooks run when its outputs are registered", async () => {
  await world.up([{ n: "k", kind: "component", a: { v: 1 }, outputs: { v: 5 }, hooks: all }], { prepare: hooks() });
  expect(seen).toEqual([
    ["bc", "k", "", { ni: 1 }],
    ["ac", "k", "", { ni: 1, no: 5 }],
  ]);
});

test("a before hook that fails fails the step, and the provider is not called", async () => {
  const outcome = await world.up(
    [
      { n: "a", a: { v: 1 }, hooks: all },
      { n: "b", dependsOn: ["a"] },
    ],
    { prepare: hooks({ fails: "bc" }) },
  );
  expect(outcome).toMatchObject({ ok: false, errors: ['a: before hook "bc" failed: says no', "update failed"] });
  expect([world.provider.take("Create"), world.names]).toEqual([[], []]);
});

test("an after hook that fails leaves the resource in the state and ends the run, which continues with --continue-on-error", async () => {
  const program = [
    { n: "a", a: { v: 1 }, hooks: all },
    { n: "b", dependsOn: ["a"] },
  ];
  const outcome = await world.up(program, { prepare: hooks({ fails: "ac" }) });
  expect(outcome).toMatchObject({ ok: false, errors: ['a: after hook "ac" failed: says no', "update failed"], changes: { create: 2 } });
  expect(world.names).toEqual(["a"]);
  const second = await world.up([{ n: "a", a: { v: 2 }, hooks: all }, ...program.slice(1)], { prepare: hooks({ fails: "au" }), continueOnError: true });
  expect([second.ok, second.errors, world.names]).toEqual([false, ['a: after hook "au" failed: says no', "update failed"], ["a", "b"]]);
});

test("errors that a hook ignores are warnings", async () => {
  const outcome = await world.up([{ n: "a", hooks: all }], { prepare: hooks({ fails: "bc", ignoreErrors: true }) });
  expect(outcome).toMatchObject({ ok: true, warnings: ['a: BeforeCreate hook "bc" failed: says no'] });
});

test("a preview runs only hooks with onDryRun", async () => {
  const program = [{ n: "a", a: { v: 1 }, hooks: all }];
  await world.preview(program, { prepare: hooks() });
  expect(seen).toEqual([]);
  await world.preview(program, { prepare: hooks({ onDryRun: true }) });
  expect(seen.map((entry) => (Array.isArray(entry) ? entry[0] : entry))).toEqual(["bc", "ac"]);
});

test("a hook that nobody registered fails the step that names it", async () => {
  expect(await world.up([{ n: "a", hooks: { beforeCreateList: ["gone"] } }])).toMatchObject({
    ok: false,
    errors: ['a: hook "gone" was not registered', "update failed"],
  });
});

test("delete hooks run for dropped resources; a destruction needs the program for them, and changes nothing before", async () => {
  const prepare = hooks();
  const program = [
    { n: "a", a: { v: 1 } as Record<string, number>, hooks: all },
    { n: "b", a: { v: 1 }, hooks: all },
  ];
  await world.up(program, { prepare });
  seen.length = 0;
  await world.up(program.slice(0, 1), { prepare });
  expect(seen.splice(0)).toEqual([
    ["bd", "b", "b-2", { oi: 1, oo: 1 }],
    ["ad", "b", "b-2", { oi: 1, oo: 1 }],
  ]);
  const refused = await world.destroy();
  expect(refused).toMatchObject({
    ok: false,
    steps: [],
    errors: [
      "a: Resource has delete hooks registered, but the program is not running. Hooks: bd, ad\nYou must run with the `--run-program` flag to use delete hooks during destroy.",
    ],
  });
  expect(world.names).toEqual(["a"]);
  world.provider.calls.length = 0;
  const outcome = await world.destroy({ prepare }, [{ n: "a", a: { v: 7 }, hooks: all }, { n: "never" }, { n: "too", dependsOn: ["never"] }]);
  expect(outcome).toMatchObject({ ok: true, steps: ["same a", "same never", "same too", "delete a"] });
  expect(seen.map((entry) => (Array.isArray(entry) ? entry.slice(0, 2) : entry))).toEqual([
    ["bd", "a"],
    ["ad", "a"],
  ]);
  expect(world.provider.take("Check", "Create", "Update", "Delete")).toEqual(["Delete a"]);
  expect(world.snapshot.resources).toEqual([]);
});

describe("error hooks", () => {
  const errorHook = (retry: (failures: string[]) => boolean) => async (client: ResourceMonitorClient) => {
    const request = new RegisterErrorHookRequest().setName("eh");
    request.setCallback(
      callbacks.errorHook((asked) => {
        seen.push([asked.getUrn(), asked.getFailedOperation(), asked.getErrorsList()]);
        return retry(asked.getErrorsList());
      }),
    );
    await new Promise<void>((resolve, reject) => client.registerErrorHook(request, (error) => (error === null ? resolve() : reject(error))));
  };

  test("an error hook can ask for a retry of a failed call", async () => {
    let tries = 0;
    world.provider.behaviour = {
      create: async () => {
        if (++tries < 3) throw new Failing(`try ${tries}`);
        return undefined;
      },
    };
    const outcome = await world.up([{ n: "a", hooks: { onErrorList: ["eh"] } }], { prepare: errorHook(() => true) });
    expect([outcome.ok, outcome.warnings]).toEqual([
      true,
      ["a: retrying create due to on-error hook request (1/100)", "a: retrying create due to on-error hook request (2/100)"],
    ]);
    expect(seen).toEqual([
      [urn("a"), "create", ["try 1"]],
      [urn("a"), "create", ["try 2", "try 1"]],
    ]);
  });

  test("an error hook that asks for no retry leaves the failure as it is; deletions have error hooks too", async () => {
    await world.up([{ n: "a", hooks: { onErrorList: ["eh"] } }], { prepare: errorHook(() => false) });
    world.provider.behaviour = {
      delete: async () => {
        throw new Failing("no");
      },
    };
    expect(await world.up([], { prepare: errorHook(() => false) })).toMatchObject({ ok: false, errors: ["a: no", "update failed"] });
    expect(seen).toEqual([[urn("a"), "delete", ["no"]]]);
    expect(world.names).toEqual(["a"]);
  });

  test("a partly created resource is not created again when an error hook asks for a retry", async () => {
    let tries = 0;
    world.provider.behaviour = {
      create: async () => {
        tries++;
        throw new Failing("not ready", ["not ready after 10 s"]);
      },
    };
    const outcome = await world.up([{ n: "a", hooks: { onErrorList: ["eh"] } }], { prepare: errorHook(() => true) });
    expect([outcome.ok, tries, world.provider.world.size, world.state("a")?.initErrors]).toEqual([false, 1, 1, ["not ready after 10 s"]]);
  });
});
