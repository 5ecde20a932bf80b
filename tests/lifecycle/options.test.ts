import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { EngineWorld, PROVIDER_URN, STACK_URN, urn } from "../support/engine-world";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const secret = (value: string) => ({ [SIGNATURE_KEY]: SIGNATURE.secret, value });

describe("ignoreChanges", () => {
  test("ignoreChanges does not touch an item that the program adds to a list; a path that cannot be ignored is reported", async () => {
    const containers = (...images: string[]) => images.map((image, at) => ({ name: `c${at}`, image }));
    const program = (...images: string[]) => [{ n: "a", a: { containers: containers(...images) }, ignoreChanges: ["containers[*].image", "containers["] }];
    await world.up(program("mine"));
    const outcome = await world.up(program("theirs", "added"));
    expect([outcome.ok, outcome.warnings]).toEqual([true, [`a: ignoreChanges: "containers[" is not a property path, and ignores nothing`]]);
    expect(world.state("a")?.inputs["containers"]).toEqual(containers("mine", "added"));
  });

  test("named paths keep their old inputs, before the provider sees them; other changes go on", async () => {
    await world.up([{ n: "a", a: { v: 1, deep: { x: 1, y: 1 }, list: [{ k: 1 }, { k: 1 }] } }]);
    world.provider.calls.length = 0;
    const outcome = await world.up([{ n: "a", a: { v: 2, deep: { x: 2, y: 1 }, list: [{ k: 2 }, { k: 3 }] }, ignoreChanges: ["v", "deep.x", "list[*].k"] }]);
    expect(outcome.steps).toEqual(["same a"]);
    expect(world.provider.calls.find((call) => call.method === "Check")?.news).toEqual({ v: 1, deep: { x: 1, y: 1 }, list: [{ k: 1 }, { k: 1 }] });
  });

  test("a replacement takes the program's inputs as they are", async () => {
    await world.up([{ n: "a", a: { v: 1, r: 1 } }]);
    await world.up([{ n: "a", a: { v: 2, r: 2 }, ignoreChanges: ["v"] }]);
    expect(world.state("a")?.inputs).toEqual({ v: 2, r: 2 });
  });
});

describe("aliases", () => {
  test.each([
    ["name", [{ n: "old", a: { v: 1 } }], [{ n: "new", a: { v: 1 }, aliases: [{ name: "old" }] }]],
    ["URN", [{ n: "old", a: { v: 1 } }], [{ n: "new", a: { v: 1 }, aliases: [{ urn: urn("old") }] }]],
    ["type", [{ n: "new", a: { v: 1 }, type: "exp:index:Old" }], [{ n: "new", a: { v: 1 }, aliases: [{ type: "exp:index:Old" }] }]],
  ])("%s: the resource lives on under its new URN", async (_kind, before, after) => {
    await world.up(before);
    const id = world.snapshot.resources.at(-1)?.id;
    expect(await world.up(after)).toMatchObject({ ok: true, steps: ["same new"], changes: { same: 2 } });
    expect(world.state("new")).toMatchObject({ urn: urn("new"), id });
    expect(world.names).toEqual(["new"]);
  });

  test("a resource that moves below a component, and back with noParent", async () => {
    await world.up([{ n: "comp", kind: "component" }, { n: "a" }]);
    expect(
      (
        await world.up([
          { n: "comp", kind: "component" },
          { n: "a", parent: "comp", aliases: [{ noParent: true }] },
        ])
      ).steps,
    ).toEqual(["same comp", "same a"]);
    const parent = world.state("comp")?.urn ?? "";
    expect(
      (
        await world.up([
          { n: "comp", kind: "component" },
          { n: "a", aliases: [{ parent }] },
        ])
      ).steps,
    ).toEqual(["same comp", "same a"]);
  });

  test("children inherit the alias of their parent, names that begin with its name too", async () => {
    await world.up([
      { n: "app", kind: "component" },
      { n: "app-db", parent: "app" },
    ]);
    const outcome = await world.up([
      { n: "shop", kind: "component", aliases: [{ name: "app" }] },
      { n: "shop-db", parent: "shop" },
    ]);
    expect(outcome).toMatchObject({ ok: true, steps: ["same shop", "same shop-db"] });
  });

  test("references to a renamed resource have its new URN at once, also if the run stops right after", async () => {
    await world.up([{ n: "old" }, { n: "b", refs: { v: "old.out" }, deletedWith: "old" }]);
    const outcome = await world.up([{ n: "new", aliases: [{ name: "old" }] }], { ends: { throws: "boom" } });
    expect(outcome.ok).toBe(false);
    expect(world.state("b")).toMatchObject({ dependencies: [urn("new")], propertyDependencies: { v: [urn("new")] }, deletedWith: urn("new") });
  });

  test.each([
    ["stack", { stack: "before" }, `urn:pulumi:before::test::exp:index:Res::a`],
    ["project", { project: "former" }, `urn:pulumi:dev::former::exp:index:Res::a`],
    ["stack and project", { stack: "before", project: "former", name: "z" }, `urn:pulumi:before::former::exp:index:Res::z`],
  ])("%s: a resource that came from elsewhere", async (_kind, alias, former) => {
    await world.up([{ n: "a", a: { v: 1 } }]);
    const { resources } = world.snapshot;
    world.snapshot = { ...world.snapshot, resources: resources.map((r) => (r.urn === urn("a") ? { ...r, urn: former } : r)) };
    expect(await world.up([{ n: "a", a: { v: 1 }, aliases: [alias] }])).toMatchObject({ ok: true, steps: ["same a"] });
    expect(world.snapshot.resources.filter((r) => r.type === "exp:index:Res").map((r) => [r.urn, r.id])).toEqual([[urn("a"), "a-1"]]);
  });

  test("two resources cannot claim one old resource by aliases", async () => {
    await world.up([{ n: "old" }]);
    const outcome = await world.up([
      { n: "x", aliases: [{ name: "old" }] },
      { n: "y", aliases: [{ name: "old" }] },
    ]);
    expect(outcome).toMatchObject({ ok: false, errors: [expect.stringContaining(`y: Duplicate resource alias '${urn("old")}'`)] });
  });
});

describe("secrets and timeouts", () => {
  test("additionalSecretOutputs and secret inputs make outputs secret, in a run that changes nothing too", async () => {
    await world.up([{ n: "a", a: { v: 1, w: secret("s") } }]);
    expect(world.state("a")?.outputs).toMatchObject({ v: 1, w: secret("s") });
    expect((await world.up([{ n: "a", a: { v: 1, w: secret("s") }, additionalSecretOutputs: ["out"] }])).steps).toEqual(["same a"]);
    expect(world.state("a")?.outputs["out"]).toEqual(secret("out-of-a-1"));
  });

  test("a provider that keeps no secrets gets plain values, and the state keeps the secret", async () => {
    world.provider.behaviour = { acceptSecrets: false };
    await world.up([{ n: "a", a: { w: secret("s") } }]);
    expect(world.provider.calls.find((call) => call.method === "Create")?.news).toEqual({ w: "s" });
    expect(world.state("a")).toMatchObject({ inputs: { w: secret("s") }, outputs: { w: secret("s") } });
  });

  test("custom timeouts reach the provider in seconds", async () => {
    const customTimeouts = { create: "5m", update: "1h30m", delete: "10s" };
    await world.up([{ n: "a", a: { v: 1 }, customTimeouts }]);
    await world.up([{ n: "a", a: { v: 2 }, customTimeouts }]);
    await world.destroy();
    expect(world.provider.calls.filter((call) => ["Create", "Update", "Delete"].includes(call.method)).map((call) => call.timeout)).toEqual([300, 5400, 10]);
  });
});

describe("providers and components", () => {
  const explicit = (zone: string) => [
    { n: "p", kind: "provider" as const, a: { zone } },
    { n: "a", a: { v: 1 }, provider: "p" },
  ];

  test("an explicit provider is configured with its inputs and serves its resources; no default one is made", async () => {
    await world.up(explicit("eu"));
    expect(world.provider.take("CheckConfig", "Configure")).toEqual(["CheckConfig p", "Configure p"]);
    expect(world.state("a")?.provider).toBe(`${urn("p", "pulumi:providers:exp")}::${world.state("p")?.id}`);
    expect(world.snapshot.resources.some((r) => r.urn === PROVIDER_URN)).toBe(false);
  });

  test("replacing a provider replaces its resources; updating it does not", async () => {
    await world.up(explicit("eu"));
    const id = world.state("p")?.id;
    expect((await world.up(explicit("us"))).steps).toEqual(["update p", "same a"]);
    world.provider.behaviour = {
      diffConfig: ({ oldInputs, news }) => ({
        changes: oldInputs?.["zone"] === news?.["zone"] ? "none" : "some",
        replaces: oldInputs?.["zone"] === news?.["zone"] ? [] : ["zone"],
      }),
    };
    const outcome = await world.up(explicit("ap"));
    expect(outcome.steps).toEqual([
      ...["create-replacement p [zone]", "replace p [zone]", "create-replacement a [provider]", "replace a [provider]"],
      ...["delete-replaced a", "delete-replaced p"],
    ]);
    expect(world.state("p")?.id).not.toBe(id);
  });

  test("each version has its own default provider, configured from the stack's configuration", async () => {
    await world.up([{ n: "a", version: "1.2.3" }], { config: { "exp:region": "eu" } });
    expect(world.snapshot.resources.find((r) => r.type === "pulumi:providers:exp")).toMatchObject({
      urn: urn("default_1_2_3", "pulumi:providers:exp"),
      inputs: { region: "eu", version: "1.2.3" },
    });
  });

  test("an address for the plugin's download makes a default provider of its own, in whose name no part is empty", async () => {
    await world.up([{ n: "a", version: "1.0.0", pluginDownloadUrl: "https://example.com/plugins" }]);
    expect(world.snapshot.resources.find((r) => r.type === "pulumi:providers:exp")).toMatchObject({
      urn: urn("default_1_0_0_https_/example.com/plugins", "pulumi:providers:exp"),
      inputs: { version: "1.0.0", __internal: { pluginDownloadURL: "https://example.com/plugins" } },
      outputs: { version: "1.0.0" },
    });
    expect(world.provider.calls.find(({ method }) => method === "Configure")?.news).toEqual({ version: "1.0.0" });
  });

  test("a disabled default provider is refused on the resource that wants it", async () => {
    const outcome = await world.up([{ n: "a" }], { config: { "pulumi:disable-default-providers": '["*"]' } });
    expect(outcome).toMatchObject({ ok: false, errors: [`a: Default provider for 'exp' disabled. '${urn("a")}' must use an explicit provider.`] });
  });

  test("components hold outputs, hand down options, and change without a provider", async () => {
    const program = (k: string) => [
      { n: "comp", kind: "component" as const, a: { k }, outputs: { k }, protect: true },
      { n: "a", parent: "comp" },
    ];
    await world.up(program("1"));
    expect(world.state("comp")).toMatchObject({ custom: false, outputs: { k: "1" }, parent: STACK_URN });
    expect(world.state("a")?.protect).toBe(true);
    expect(await world.up(program("2"))).toMatchObject({ steps: ["update comp", "same a"], changes: { same: 2, update: 1 } });
    expect(world.state("comp")?.outputs).toEqual({ k: "2" });
  });

  test("a resource with the URN of a former component replaces it, and the step is shown", async () => {
    await world.up([{ n: "a", kind: "component", type: "exp:index:Res" }]);
    expect((await world.up([{ n: "a", a: { v: 1 } }])).steps).toEqual(["create-replacement a [provider]", "replace a [provider]", "delete-replaced a"]);
  });

  test("a stack reference reads another stack's outputs", async () => {
    const outcome = await world.up([{ n: "other", kind: "read", type: "pulumi:pulumi:StackReference", id: "other", a: { name: "other" } }], {
      stackOutputs: async (name) => (name === "other" ? { url: "http://x" } : undefined),
    });
    expect([outcome.ok, world.state("other")?.outputs]).toMatchObject([true, { name: "other", outputs: { url: "http://x" }, secretOutputNames: [] }]);
  });

  test("outputs of a stack are replaced by a run that succeeds, and added to by one that fails", async () => {
    await world.up([], { outputs: { x: 1, y: 1 } });
    await world.up([], { outputs: { x: 2 }, ends: { throws: "boom" } });
    expect(world.snapshot.resources[0]?.outputs).toEqual({ x: 2, y: 1 });
    await world.up([], { outputs: { x: 2 } });
    expect(world.snapshot.resources[0]?.outputs).toEqual({ x: 2 });
  });
});

test("ignoreChanges reaches into secrets; where the provider does not know, replaceOnChanges goes by nested paths", async () => {
  world.provider.behaviour = { diff: () => ({ changes: "unknown" }) };
  const of = (u: number, x: number, list: number[]) => [
    {
      n: "a",
      a: { t: { [SIGNATURE_KEY]: SIGNATURE.secret, value: { u, w: 1 } }, deep: { x, y: list.length }, list },
      ignoreChanges: ["t.u"],
      replaceOnChanges: ["deep.x"],
    },
  ];
  await world.up(of(1, 1, [1]));
  expect((await world.up(of(2, 1, [1]))).steps).toEqual(["same a"]);
  expect(world.state("a")?.inputs["t"]).toEqual({ [SIGNATURE_KEY]: SIGNATURE.secret, value: { u: 1, w: 1 } });
  expect((await world.up(of(2, 1, [1, 2]))).steps).toEqual(["update a"]);
  expect((await world.up(of(2, 2, [1, 2]))).steps).toEqual(["create-replacement a", "replace a", "delete-replaced a"]);
});
