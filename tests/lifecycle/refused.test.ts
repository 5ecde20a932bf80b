/** What docs/engine.md lists under "Refused by name": each use ends with an error that names the feature, and nothing is made. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/resource_pb.js";
import { SIGNATURE, SIGNATURE_KEY } from "../../common/signatures";
import { EngineWorld, PROVIDER_URN } from "../support/engine-world";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "refused-"));
const ZIP = path.join(folder, "a.zip");
fs.writeFileSync(ZIP, "");
afterAll(() => fs.rmSync(folder, { recursive: true }));

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const asset = (more: object) => ({ [SIGNATURE_KEY]: SIGNATURE.asset, ...more });
const archive = (more: object) => ({ [SIGNATURE_KEY]: SIGNATURE.archive, ...more });

test.each<[string, object, string]>([
  ["an asset of an address", asset({ uri: "https://example.org/a.txt" }), "assets from https://example.org/a.txt are not supported by the embedded engine"],
  ["an archive of an address", archive({ uri: "http://example.org/a.zip" }), "http://example.org/a.zip are not supported by the embedded engine"],
  [
    "an archive file inside an archive",
    archive({ assets: { inner: archive({ path: ZIP }) } }),
    `the archive file ${ZIP} inside another archive is not supported by the embedded engine`,
  ],
])("%s", async (_what, value, message) => {
  const outcome = await world.up([{ n: "a", a: { v: value as never } }]);
  expect(outcome).toMatchObject({ ok: false, errors: [expect.stringContaining(message)] });
  expect(outcome.errors[0]).toContain("the Pulumi CLI has");
  expect(world.names).toEqual([]);
});

test("a parameterized package", async () => {
  const register = (client: ResourceMonitorClient) =>
    new Promise<string>((resolve) => {
      const request = new pb.RegisterPackageRequest();
      request.setName("base");
      const parameterization = new pb.Parameterization();
      parameterization.setName("other");
      request.setParameterization(parameterization);
      client.registerPackage(request, (error) => resolve(error?.details ?? "taken"));
    });
  const { ok, errors } = await world.up([{ n: "a" }], { prepare: async (client) => void (await register(client)) });
  expect([ok, errors]).toEqual([false, ["package base is parameterized, which the embedded engine does not support; the Pulumi CLI has it"]]);
});

test("a state whose provider is of a parameterized package", async () => {
  await world.up([{ n: "a" }]);
  const internal = { parameterization: { name: "other", version: "1.0.0", value: "" } };
  world.snapshot = {
    ...world.snapshot,
    resources: world.snapshot.resources.map((of) => (of.urn === PROVIDER_URN ? { ...of, inputs: { ...of.inputs, __internal: internal } } : of)),
  };
  const outcome = await world.destroy();
  expect(outcome).toMatchObject({ ok: false, errors: [expect.stringContaining("package exp is parameterized")] });
  expect(world.names).toEqual(["a"]);
});

test("features that a newer SDK asks about are answered with no", async () => {
  const supports = (client: ResourceMonitorClient, id: string) =>
    new Promise<boolean | undefined>((resolve, reject) => {
      const request = new pb.SupportsFeatureRequest();
      request.setId(id);
      client.supportsFeature(request, (error, reply) => (error === null ? resolve(reply.getHassupport()) : reject(error)));
    });
  const answers: unknown[] = [];
  await world.up([], {
    prepare: async (client) => {
      for (const id of ["secrets", "stateMigrations", "snippets", "nobody has it"]) answers.push([id, await supports(client, id)]);
    },
  });
  expect(answers).toEqual([
    ["secrets", true],
    ["stateMigrations", false],
    ["snippets", false],
    ["nobody has it", false],
  ]);
});
