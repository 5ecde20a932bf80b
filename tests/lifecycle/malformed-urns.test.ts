jest.mock("@grpc/grpc-js", () => require("../support/memory-grpc").inMemory(jest.requireActual("@grpc/grpc-js")));
jest.mock("../../common/grpc/unary-server", () => require("../support/memory-grpc").serverInMemory());
jest.mock("../../common/grpc/unary-client", () => require("../support/memory-grpc").clientInMemory(jest.requireActual("../../common/grpc/unary-client")));

import type * as grpc from "@grpc/grpc-js";
import { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { EngineWorld, urn } from "../support/engine-world";

/** A malformed URN or provider reference, in every place where a program can send one. The error is that of the CLI (3.260). */
const NONE = "a";
const { PropertyDependencies } = pb.RegisterResourceRequest;
const aliasOf = (spec: Alias.Spec): Alias => new Alias().setSpec(spec);

const REGISTERED: Record<string, [tell: (request: pb.RegisterResourceRequest) => unknown, said: string]> = {
  "an alias": [(request) => request.setAliasesList([new Alias().setUrn(NONE)]), '3: invalid alias URN: invalid URN "a"'],
  "an alias without a URN": [(request) => request.setAliasesList([new Alias()]), "3: invalid alias URN: missing required URN"],
  "an alias that the SDK resolved": [(request) => request.setAliasurnsList([NONE]), '3: invalid alias URN: invalid URN "a"'],
  "the parent of an alias": [
    (request) => request.setAliasesList([aliasOf(new Alias.Spec().setParenturn(NONE))]),
    '3: invalid parent alias URN: invalid URN "a"',
  ],
  "a parent": [(request) => request.setParent(NONE), '3: invalid parent URN: invalid URN "a"'],
  "a dependency": [(request) => request.setDependenciesList([NONE]), '3: invalid dependency URN: invalid URN "a"'],
  "a property's dependency": [
    (request) => request.getPropertydependenciesMap().set("p", new PropertyDependencies().setUrnsList([""])),
    "3: invalid dependency on property p URN: missing required URN",
  ],
  "what it is deleted with": [(request) => request.setDeletedwith(NONE), '3: invalid DeletedWith URN: invalid URN "a"'],
  "what it is replaced with": [(request) => request.setReplaceWithList([NONE]), '3: invalid ReplaceWith URN: invalid URN "a"'],
  "a provider": [(request) => request.setProvider(NONE), "2: could not parse provider reference: expected '::' in provider reference 'a'"],
  "a provider that is none": [
    (request) => request.setProvider(`${urn("b")}::id`),
    "2: could not parse provider reference: invalid module in type: expected 'pulumi:providers', got 'exp:index'",
  ],
  "a provider without a URN": [(request) => request.setProvider("a::id"), "2: could not parse provider reference: a is not a valid URN"],
  "one of its providers": [
    (request) => request.getProvidersMap().set("exp", NONE),
    "2: could not parse provider reference: expected '::' in provider reference 'a'",
  ],
};

/** @returns code and message of the error; undefined if the call succeeded */
function asked<Q, R>(
  client: ResourceMonitorClient,
  method: (request: Q, callback: (error: grpc.ServiceError | null, reply: R) => void) => unknown,
  request: Q,
) {
  return new Promise<string | undefined>((resolve) => {
    method.call(client, request, (error) => resolve(error === null ? undefined : `${error.code}: ${error.details}`));
  });
}

let world: EngineWorld;
beforeAll(async () => {
  world = await EngineWorld.start();
});
afterAll(() => world.close());

/** Runs a program that makes the call and then registers a resource: the error does not end the run. */
async function answerTo(
  ask: (client: ResourceMonitorClient) => Promise<string | undefined>,
): Promise<{ said: string | undefined; errors: string[]; steps: string[] }> {
  let said: string | undefined;
  const prepare = async (client: ResourceMonitorClient): Promise<void> => {
    said = await ask(client);
  };
  const { errors, steps } = await world.up([{ n: "after" }], { prepare });
  return { said, errors, steps };
}

test.each(Object.entries(REGISTERED))("registered with %s that is malformed", async (_name, [tell, said]) => {
  const request = new pb.RegisterResourceRequest().setType("exp:index:Res").setName("r").setCustom(true);
  tell(request);
  expect(await answerTo((client) => asked(client, client.registerResource, request))).toMatchObject({ said, errors: [] });
  expect(world.names).toEqual(["after"]);
});

const READ: Record<string, [tell: (request: pb.ReadResourceRequest) => unknown, said: string]> = {
  "a parent": [(request) => request.setParent(NONE), '3: invalid parent URN: invalid URN "a"'],
  "a dependency": [(request) => request.setDependenciesList([NONE]), '3: invalid dependency: invalid URN "a"'],
  "a provider": [(request) => request.setProvider(NONE), "2: could not parse provider reference: expected '::' in provider reference 'a'"],
};
test.each(Object.entries(READ))("read with %s that is malformed", async (_name, [tell, said]) => {
  const request = new pb.ReadResourceRequest().setType("exp:index:Res").setName("r").setId("x");
  tell(request);
  expect(await answerTo((client) => asked(client, client.readResource, request))).toMatchObject({ said, errors: [] });
});

test("outputs for a malformed URN, and functions and methods with a malformed provider reference", async () => {
  const outputs = new pb.RegisterResourceOutputsRequest().setUrn(NONE);
  const invoke = new pb.ResourceInvokeRequest().setTok("exp:index:fn").setProvider(NONE);
  const call = new pb.ResourceCallRequest().setTok("exp:index:fn").setProvider(NONE);
  const reference = "2: could not parse provider reference: expected '::' in provider reference 'a'";
  expect(await answerTo((client) => asked(client, client.registerResourceOutputs, outputs))).toMatchObject({
    said: '2: invalid resource URN: invalid URN "a"',
    errors: [],
  });
  expect(await answerTo((client) => asked(client, client.invoke, invoke))).toMatchObject({ said: reference, errors: [] });
  expect(await answerTo((client) => asked(client, client.call, call))).toMatchObject({ said: reference, errors: [] });
});
