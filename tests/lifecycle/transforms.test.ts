import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import type * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { fromStruct, toStruct } from "../../engine/wire/struct";
import type { PropertyMap } from "../../engine/wire/values";
import { CallbackServer } from "../support/callback-server";
import { EngineWorld, urn } from "../support/engine-world";

let world: EngineWorld;
let callbacks: CallbackServer;
beforeEach(async () => {
  world = await EngineWorld.start();
  callbacks = await CallbackServer.start();
});
afterEach(() => {
  world.close();
  callbacks.close();
});

const with_ = (more: (inputs: PropertyMap) => PropertyMap) =>
  callbacks.transform((request) => {
    request.setProperties(toStruct(more(fromStruct(request.getProperties()))));
  });

const stackTransform = (callback: Callback) => (client: ResourceMonitorClient) =>
  new Promise<void>((resolve, reject) => client.registerStackTransform(callback, (error) => (error === null ? resolve() : reject(error))));

test("a resource's own transforms come first, its ancestors' from the nearest up, the stack's last", async () => {
  const note = (name: string) => with_((inputs) => ({ ...inputs, order: `${inputs["order"] ?? ""}${name}` }));
  await world.up(
    [
      { n: "outer", kind: "component", transforms: [note("o")] },
      { n: "inner", kind: "component", parent: "outer", transforms: [note("i")] },
      { n: "a", parent: "inner", transforms: [note("1"), note("2")] },
      { n: "b" },
    ],
    { prepare: stackTransform(note("s")) },
  );
  const order = (name: string) => world.state(name)?.inputs["order"];
  expect([order("a"), order("inner"), order("outer"), order("b")]).toEqual(["12ios", "ios", "os", "s"]);
  expect(world.provider.calls.find(({ method, name }) => method === "Check" && name === "a")?.news).toEqual({ order: "12ios" });
});

test("a transform sees and changes options; secrets and dependencies reach it as output values and come back as they are", async () => {
  const secret = { [SIGNATURE_KEY]: SIGNATURE.secret, value: "x" };
  let seen: unknown;
  const change = callbacks.transform((request) => {
    const options = request.getOptions();
    seen = [request.getType(), request.getName(), request.getCustom(), options?.getDependsOnList(), options?.hasProtect(), fromStruct(request.getProperties())];
    options?.setProtect(true);
    options?.setIgnoreChangesList(["v"]);
    options?.setAdditionalSecretOutputsList(["out"]);
  });
  await world.up([{ n: "z" }, { n: "a", a: { v: 1, s: secret }, refs: { x: "z.out" }, transforms: [change] }]);
  expect(seen).toEqual([
    "exp:index:Res",
    "a",
    true,
    [urn("z")],
    false,
    {
      v: 1,
      s: { [SIGNATURE_KEY]: SIGNATURE.output, value: "x", secret: true },
      x: { [SIGNATURE_KEY]: SIGNATURE.output, value: "out-of-z-1", dependencies: [urn("z")] },
    },
  ]);
  expect(world.state("a")).toMatchObject({
    inputs: { v: 1, s: secret, x: "out-of-z-1" },
    outputs: { out: { [SIGNATURE_KEY]: SIGNATURE.secret, value: "out-of-a-2" } },
    protect: true,
    ignoreChanges: ["v"],
    dependencies: [urn("z")],
    propertyDependencies: { v: [], s: [], x: [urn("z")] },
  });
});

test("a transform that fails ends the run, on the resource", async () => {
  const outcome = await world.up([
    {
      n: "a",
      transforms: [
        callbacks.transform(() => {
          throw new Error("not this one");
        }),
      ],
    },
  ]);
  expect([outcome.ok, outcome.errors]).toEqual([false, [`a: a transform of ${urn("a")} failed: not this one`]]);
  expect(world.names).toEqual([]);
});

test("invoke transforms change the arguments of invokes", async () => {
  world.provider.behaviour = { invoke: ({ news }) => ({ echo: news ?? {} }) };
  let answer: PropertyMap = {};
  await world.up([], {
    prepare: async (client) => {
      const callback = callbacks.add((bytes) => {
        const request = pb.TransformInvokeRequest.deserializeBinary(bytes);
        return new pb.TransformInvokeResponse().setArgs(toStruct({ ...fromStruct(request.getArgs()), more: request.getToken() })).serializeBinary();
      });
      await new Promise<void>((resolve, reject) => client.registerStackInvokeTransform(callback, (error) => (error === null ? resolve() : reject(error))));
      const request = new pb.ResourceInvokeRequest().setTok("exp:index:fn").setArgs(toStruct({ q: 1 }));
      const reply = await new Promise<provider.InvokeResponse>((resolve, reject) =>
        client.invoke(request, (error, got) => (error === null ? resolve(got) : reject(error))),
      );
      answer = fromStruct(reply.getReturn());
    },
  });
  expect(answer).toEqual({ echo: { q: 1, more: "exp:index:fn" } });
});
