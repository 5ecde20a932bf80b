/** Resources of the package `pulumi`, which the engine itself implements, in every operation. */
import type { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { ResourceInvokeRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { CliError } from "../../engine/errors";
import { toStruct } from "../../engine/wire/struct";
import { parseStackName } from "../../engine/workspace/project";
import { EngineWorld, type RunOptions, urn } from "../support/engine-world";
import type { ProgramResource } from "../support/monitor-client";

let world: EngineWorld;
beforeEach(async () => {
  world = await EngineWorld.start();
});
afterEach(() => world.close());

const reference = (name: string, n = "ref"): ProgramResource => ({ n, kind: "read", type: "pulumi:pulumi:StackReference", id: name, a: { name } });
const STACKS: Record<string, { value: string }> = { other: { value: "1" }, third: { value: "3" } };
/** Resolves a stack as the command line does: a malformed name is an error of its own. */
const stackOutputs = async (name: string) => {
  const { stack } = parseStackName(name, "test");
  return STACKS[stack];
};
const options: RunOptions = { stackOutputs };

test("a stack with a stack reference is previewed, refreshed, renamed, changed and destroyed without a call to a provider", async () => {
  const program = [reference("organization/p/other"), { n: "user", refs: { v: "ref.name" } }];
  expect(await world.up(program, options)).toMatchObject({ ok: true, errors: [] });
  expect(await world.preview(program, options)).toMatchObject({ ok: true });
  expect(await world.refresh(options)).toMatchObject({ ok: true, errors: [] });
  expect(await world.up(program, { ...options, refresh: true, targets: [urn("user")] })).toMatchObject({ ok: true, errors: [] });
  // Another stack under the same name, then another name.
  expect(await world.up([reference("third"), { n: "user", refs: { v: "ref.name" } }], options)).toMatchObject({ ok: true, errors: [] });
  expect(world.state("ref")).toMatchObject({ id: "third", external: true, outputs: { name: "third", outputs: { value: "3" } } });
  expect(await world.up([reference("third", "renamed")], options)).toMatchObject({ ok: true, errors: [] });
  expect(world.names.filter((name) => name !== "default")).toEqual(["renamed"]);
  expect(await world.up([], options)).toMatchObject({ ok: true, errors: [] });
  expect(await world.up([reference("other")], options)).toMatchObject({ ok: true });
  // A destruction does not need the referenced stack.
  expect(await world.destroy()).toMatchObject({ ok: true, errors: [] });
  expect(world.snapshot.resources).toEqual([]);
});

test.each([
  ["gone", 'unknown stack "gone"'],
  ["other/dev", "organization name must be 'organization'"],
  ["nobody/p/other", "organization name must be 'organization'"],
  ["organization/p/other/more", "could not parse stack reference 'organization/p/other/more'"],
  ["we ird", "a stack name may only contain"],
])("a reference to %s says what is wrong with it, and is no bug", async (name, why) => {
  const { ok, errors } = await world.up([reference(name)], options);
  expect([ok, errors.join()]).toEqual([false, expect.stringContaining(why)]);
  expect(errors.join()).not.toMatch(/bug|CliError/);
});

test.each(["other", "organization/other", "organization/p/other"])("a stack is named as the CLI takes it: %s", async (name) => {
  expect(await world.up([reference(name)], options)).toMatchObject({ ok: true, errors: [] });
});

test("a program that reads outputs of a stack that is not there is told its name", async () => {
  const request = new ResourceInvokeRequest().setTok("pulumi:pulumi:readStackOutputs").setArgs(toStruct({ name: "organization/p/gone" }));
  const prepare = (client: ResourceMonitorClient): Promise<void> =>
    new Promise((resolve, reject) => client.invoke(request, (error) => (error === null ? resolve() : reject(new Error(error.details)))));
  const { ok, errors } = await world.up([], { ...options, prepare });
  expect([ok, errors.join()]).toEqual([false, expect.stringContaining('readStackOutputs returned an error: unknown stack "organization/p/gone"')]);
});

test("an unknown failure of the backend is one error, too", async () => {
  const failing = async (): Promise<never> => {
    throw new CliError("the state file is damaged");
  };
  expect((await world.up([reference("other")], { stackOutputs: failing })).errors.join()).toContain('stack "other": the state file is damaged');
});

test("a stash keeps what it was made with, knows the latest input, and leaves no trace", async () => {
  const stash = (input: string): ProgramResource => ({ n: "kept", type: "pulumi:index:Stash", a: { input } });
  expect(await world.up([stash("one")])).toMatchObject({ ok: true, errors: [] });
  expect(await world.preview([stash("two")])).toMatchObject({ ok: true, steps: expect.arrayContaining(["update kept"]) });
  expect(await world.up([stash("two")])).toMatchObject({ ok: true, errors: [] });
  expect(world.state("kept")).toMatchObject({ inputs: { input: "two" }, outputs: { input: "two", output: "one" } });
  expect(await world.refresh()).toMatchObject({ ok: true, changes: { same: 2 } });
  expect(await world.up([stash("three")], { replaces: [urn("kept", "pulumi:index:Stash")] })).toMatchObject({ ok: true, errors: [] });
  expect(world.state("kept")?.outputs).toEqual({ input: "three", output: "three" });
  expect(await world.destroy()).toMatchObject({ ok: true, errors: [] });
});

test("with default providers disabled, the engine's own package still works", async () => {
  const off = { ...options, config: { "pulumi:disable-default-providers": '["*"]' } };
  expect(await world.up([reference("other")], off)).toMatchObject({ ok: true, errors: [] });
  expect((await world.up([{ n: "a" }], off)).errors.join()).toContain("Default provider for 'exp' disabled");
});
