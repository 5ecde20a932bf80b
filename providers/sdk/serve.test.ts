import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { HomelabError } from "../../common/errors";
import { partialFailure, TestProvider } from "../../tests/support/test-provider";
import { PartialFailure, type ProviderDefinition } from "./resource";
import { Secret, UNKNOWN } from "./values";

const THING = "toy:index:Thing";

/** What the handlers were given, and one toy resource that obeys its inputs. */
function toy(): { definition: ProviderDefinition<{ config: unknown }>; seen: unknown[] } {
  const seen: unknown[] = [];
  return {
    seen,
    definition: {
      name: "toy",
      version: "1.2.3",
      checkConfig: (config) => ("wrong" in config ? [{ property: "wrong", reason: "no such setting" }] : []),
      configure: async ({ config }) => ({ config }),
      resource: (token) =>
        token !== THING
          ? undefined
          : {
              token,
              computed: ["serial"],
              secretOutputs: ["password"],
              check: async ({ news }) => ({ inputs: { size: 1, ...news }, failures: news["bad"] === true ? [{ property: "bad", reason: "is bad" }] : [] }),
              create: async ({ inputs, provider, signal }) => {
                seen.push({ inputs, provider });
                if (inputs["mode"] === "fail") throw new HomelabError("E_TOY", "it broke", { hint: "mend it" });
                if (inputs["mode"] === "fail-with") throw new HomelabError("E_TOY", String(inputs["text"]));
                if (inputs["mode"] === "throttled") throw new HomelabError("E_TOY", "later", { cause: Object.assign(new Error("x"), { status: 429 }) });
                if (inputs["mode"] === "half") throw new PartialFailure("half-1", { ...inputs }, ["not ready"]);
                if (inputs["mode"] === "hang") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
                return { id: "thing-1", outputs: { ...inputs, serial: "s1", password: "generated" } };
              },
              update: async ({ inputs, oldOutputs }) => ({ ...oldOutputs, ...inputs }),
              read: async ({ id, outputs }) => (id === "gone" ? undefined : { id, outputs }),
            },
    },
  };
}

describe("a served provider", () => {
  let provider: TestProvider;
  let seen: unknown[];
  beforeEach(async () => {
    const made = toy();
    seen = made.seen;
    provider = await TestProvider.start(made.definition, { region: new Secret("eu-secret-region") });
  });
  afterEach(() => provider.close());

  test("accepts secrets, and neither resources nor outputs", async () => {
    const reply = await provider.call<pb.ProviderHandshakeRequest, pb.ProviderHandshakeResponse>(provider.client.handshake, new pb.ProviderHandshakeRequest());
    expect(reply.toObject()).toEqual({ acceptSecrets: true, acceptResources: false, acceptOutputs: false, supportsAutonamingConfiguration: false });
  });

  test("tells the version of the SDK package", async () => {
    expect((await provider.call<Empty, PluginInfo>(provider.client.getPluginInfo, new Empty())).getVersion()).toBe("1.2.3");
  });

  test("has no schema", async () => {
    await expect(provider.call<pb.GetSchemaRequest, pb.GetSchemaResponse>(provider.client.getSchema, new pb.GetSchemaRequest())).rejects.toMatchObject({
      code: 12,
      details: expect.stringMatching(/tells no schema/),
    });
  });

  test("handlers get plain values, and secret markers come back by key", async () => {
    const state = await provider.create(THING, { name: new Secret("n"), tags: { a: new Secret("x"), b: "y" } });
    expect(seen).toEqual([{ inputs: { name: "n", tags: { a: "x", b: "y" } }, provider: { config: { region: "eu-secret-region" } } }]);
    expect(state).toMatchObject({
      id: "thing-1",
      outputs: { name: new Secret("n"), tags: { a: new Secret("x"), b: "y" }, serial: "s1", password: new Secret("generated") },
    });
  });

  test("a number that no target can be sent is refused by its path, secret or not", async () => {
    const { failures } = await provider.check(THING, { spec: { replicas: [1, Number.NaN], size: new Secret(Number.POSITIVE_INFINITY) }, name: "NaN" });
    expect(failures).toEqual([
      "spec.replicas[1]: NaN is no number that can be sent: it may come from a text or a setting that is none",
      "spec.size: Infinity is no number that can be sent: it may come from a text or a setting that is none",
    ]);
  });

  test("check fills defaults in, keeps unknown values and reports failures", async () => {
    expect(await provider.check(THING, { name: UNKNOWN, bad: true })).toEqual({ inputs: { size: 1, name: UNKNOWN, bad: true }, failures: ["bad: is bad"] });
  });

  test("the preview of a create calls no handler and knows no computed output", async () => {
    expect(await provider.create(THING, { name: "n" }, { preview: true })).toMatchObject({ id: "", outputs: { name: "n", serial: UNKNOWN } });
    expect(seen).toEqual([]);
  });

  test("the preview of an update keeps computed outputs and drops removed inputs", async () => {
    const state = { id: "thing-1", inputs: { name: "n", old: 1 }, outputs: { name: "n", old: 1, serial: "s1" } };
    expect((await provider.update(THING, state, { name: "m" }, { preview: true })).outputs).toEqual({ name: "m", serial: "s1" });
  });

  test("diff names leaves and ignores secrecy", async () => {
    const state = { id: "thing-1", inputs: { name: new Secret("n"), tags: { a: "1", "b.c": "2" } }, outputs: {} };
    expect(await provider.diff(THING, state, { name: "n", tags: { a: "9", d: UNKNOWN } })).toEqual({
      changes: "some",
      replaces: [],
      diffs: ["tags"],
      deleteBeforeReplace: false,
      detailed: { "tags.a": 4, 'tags["b.c"]': 2, "tags.d": 0 },
    });
    expect((await provider.diff(THING, state, state.inputs)).changes).toBe("none");
  });

  test("a known failure is its message and hint, without a stack", async () => {
    await expect(provider.create(THING, { mode: "fail" })).rejects.toMatchObject({ code: 2, details: "it broke\n  next: mend it" });
  });

  test("the codes of a failure are in the trailer, beside its message; where there are none, nothing is", async () => {
    const codesOf = async (mode: string) => {
      const failed = await provider.create(THING, { mode }).then(undefined, (thrown: { metadata: { get(key: string): unknown[] } }) => thrown);
      return (failed as { metadata: { get(key: string): unknown[] } }).metadata.get("homelab-failure-codes");
    };
    expect([await codesOf("throttled"), await codesOf("fail")]).toEqual([["429"], []]);
  });

  test("no secret of the call or of the configuration is in an error", async () => {
    const inputs = { mode: "fail-with", text: "token hunter2-hunter2 for eu-secret-region", key: new Secret("hunter2-hunter2") };
    await expect(provider.create(THING, inputs)).rejects.toMatchObject({ details: "token [secret] for [secret]" });
  });

  test("a partial failure carries the state", async () => {
    const thrown = await provider.create(THING, { mode: "half", name: new Secret("n") }).catch((error: unknown) => error);
    expect(partialFailure(thrown)).toEqual({ id: "half-1", outputs: { mode: "half", name: new Secret("n") }, reasons: ["not ready"] });
  });

  test("cancel ends what runs and refuses what comes", async () => {
    const running = provider.create(THING, { mode: "hang" }).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    await provider.cancel();
    expect(await running).toMatchObject({ details: "the operation was cancelled" });
    await expect(provider.create(THING, {})).rejects.toMatchObject({ details: "the operation was cancelled" });
  });

  test("a custom timeout ends the operation", async () => {
    await expect(provider.create(THING, { mode: "hang" }, { timeout: 0.02 })).rejects.toMatchObject({ code: 2 });
  });

  test("read of what is gone has no id", async () => {
    expect(await provider.read(THING, { id: "gone", inputs: {}, outputs: {} })).toBeUndefined();
  });

  test("an unknown type is refused by name", async () => {
    await expect(provider.check("toy:index:Other", {})).rejects.toMatchObject({
      details: expect.stringMatching(/^the embedded provider toy does not have toy:index:Other; the official plugin has\n/),
    });
  });

  test("a component and a method are refused by name", async () => {
    const refused = { details: expect.stringMatching(/^the embedded provider toy does not have toy:index:Other; the official plugin has\n/) };
    const component = provider.call<pb.ConstructRequest, pb.ConstructResponse>(
      provider.client.construct,
      new pb.ConstructRequest().setType("toy:index:Other").setName("it"),
    );
    await expect(component).rejects.toMatchObject(refused);
    const method = provider.call<pb.CallRequest, pb.CallResponse>(provider.client.call, new pb.CallRequest().setTok("toy:index:Other"));
    await expect(method).rejects.toMatchObject(refused);
  });
});
