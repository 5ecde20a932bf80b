/** The Automation API's whole surface on one stack of a local program, in the order of its life. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ConcurrentUpdateError, type EngineEvent, LocalWorkspace, Stack, StackAlreadyExistsError, StackNotFoundError } from "@pulumi/pulumi/automation";
import { AutomationSite } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite();
let ws: LocalWorkspace;
let stack: Stack;

beforeAll(async () => {
  ws = await site.workspace();
});
afterAll(() => site.remove());

test("select of a stack that is not there is its own error", async () => {
  await expect(Stack.select("dev", ws)).rejects.toBeInstanceOf(StackNotFoundError);
});

test("create, and once more is an error; createOrSelect takes what is there", async () => {
  stack = await Stack.create("dev", ws);
  await expect(Stack.create("dev", ws)).rejects.toBeInstanceOf(StackAlreadyExistsError);
  expect((await LocalWorkspace.createOrSelectStack({ stackName: "dev", workDir: site.workDir }, await site.options())).name).toBe("dev");
  expect(await ws.listStacks()).toEqual([{ name: "dev", current: true, resourceCount: 0, lastUpdate: expect.any(String) }]);
  expect((await stack.workspace.whoAmI()).url).toBe(site.env["PULUMI_BACKEND_URL"]);
});

test("config: set, get, secret, path, all, remove", async () => {
  await stack.setConfig("size", { value: "3" });
  await stack.setConfig("token", { value: "hush", secret: true });
  await stack.setConfig("tree.leaf[0]", { value: "7" }, true);
  await stack.setAllConfig({ "other:key": { value: "v" }, gone: { value: "soon" } });
  expect(await stack.getConfig("token")).toEqual({ value: "hush", secret: true });
  expect(await stack.getConfig("tree.leaf[0]", true)).toMatchObject({ value: "7" });
  await stack.removeConfig("gone");
  const all = await stack.getAllConfig();
  expect(Object.keys(all).sort()).toEqual(["auto:size", "auto:token", "auto:tree", "other:key"]);
  expect(all["auto:tree"]).toMatchObject({ value: '{"leaf":[7]}', secret: false });
  await stack.removeAllConfig(["tree", "other:key"]);
  await expect(stack.getConfig("tree")).rejects.toThrow("configuration key 'tree' not found for stack 'dev'");
  expect(fs.readFileSync(path.join(site.workDir, "Pulumi.dev.yaml"), "utf8")).not.toContain("hush");
});

test("preview changes nothing and counts", async () => {
  expect((await stack.preview()).changeSummary).toEqual({ create: 2 });
  expect(site.things()).toEqual([]);
});

test("up makes the world, streams events, and gives outputs", async () => {
  const events: EngineEvent[] = [];
  const { summary, outputs, stdout } = await stack.up({ message: "first", onEvent: (event) => events.push(event) });
  expect(site.things()).toEqual(["thing-0"]);
  expect([summary.kind, summary.result, summary.message, summary.resourceChanges]).toEqual(["update", "succeeded", "first", { create: 2 }]);
  expect(outputs).toEqual({ names: { value: ["thing-0"], secret: false }, password: { value: "s3cr3t", secret: true } });
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, i) => i));
  expect([events[0]?.preludeEvent?.config["auto:token"], events.at(-1)?.cancelEvent]).toEqual(["[secret]", {}]);
  expect(JSON.stringify(events)).not.toMatch(/hush|hidden-0|s3cr3t/);
  expect(stdout.match(/pulumi:pulumi:Stack auto-dev created/g)).toHaveLength(1);
  expect(stdout).toContain("Resources:\n    + 2 created\n");
  expect(stdout).not.toContain("s3cr3t");
});

test("outputs; and without the passphrase they are masked, not lost", async () => {
  expect((await stack.outputs())["password"]).toEqual({ value: "s3cr3t", secret: true });
});

test("up with no changes keeps the promise of expectNoChanges; with changes it breaks it", async () => {
  expect((await stack.up({ expectNoChanges: true })).summary.resourceChanges).toEqual({ same: 2 });
  await stack.setConfig("size", { value: "4" });
  await expect(stack.preview({ expectNoChanges: true })).rejects.toThrow("no changes were expected for update but changes were proposed");
});

test("refresh sees what went away", async () => {
  for (const id of fs.readdirSync(site.world)) fs.rmSync(path.join(site.world, id));
  expect((await stack.refresh()).summary.resourceChanges).toMatchObject({ delete: 1 });
  await stack.up();
  expect(site.things()).toEqual(["thing-0"]);
});

test("export and import give the same state back", async () => {
  const exported = await stack.exportStack();
  expect([exported.version, exported.deployment.resources.length]).toEqual([3, 3]);
  expect(JSON.stringify(exported)).toContain("hidden-0");
  await stack.importStack({ ...exported, deployment: { ...exported.deployment, resources: [] } });
  expect((await stack.exportStack()).deployment.resources ?? []).toEqual([]);
  await stack.importStack(exported);
  expect((await stack.exportStack()).deployment.resources).toEqual(exported.deployment.resources);
  expect((await stack.preview()).changeSummary).toEqual({ same: 2 });
});

test("history, newest first, in pages, and info", async () => {
  const history = await stack.history(2, 1);
  expect(history.map(({ kind, result }) => [kind, result])).toEqual([
    ["update", "succeeded"],
    ["refresh", "succeeded"],
  ]);
  expect((await stack.info())?.config["auto:token"]).toEqual({ value: "hush", secret: true });
});

test("tags: set, get, list, remove", async () => {
  await stack.setTag("owner", "me");
  expect([await stack.getTag("owner"), await stack.listTags()]).toEqual(["me", { owner: "me" }]);
  await stack.removeTag("owner");
  expect(await stack.listTags()).toEqual({});
});

test("a lock is an error of its own until it is cancelled", async () => {
  const folder = path.join(site.dir, "state/.pulumi/locks/organization/auto/dev");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "x.json"), JSON.stringify({ pid: 1, username: "other", hostname: "elsewhere", timestamp: "2026-01-01T00:00:00Z" }));
  const error = await stack.up().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConcurrentUpdateError);
  expect(String(error)).toContain("created by other@elsewhere (pid 1) at 2026-01-01T00:00:00Z");
  await stack.cancel();
  expect(fs.readdirSync(folder)).toEqual([]);
});

test("a wrong passphrase is one error, and touches nothing", async () => {
  const files = (): string[] =>
    ["state/.pulumi/stacks/auto/dev.json", "work/Pulumi.dev.yaml"].map((file) => fs.readFileSync(path.join(site.dir, file), "utf8"));
  const before = files();
  stack.workspace.envVars["PULUMI_CONFIG_PASSPHRASE"] = "wrong";
  await expect(stack.up()).rejects.toThrow("incorrect passphrase");
  await expect(stack.exportStack()).rejects.toThrow("incorrect passphrase");
  stack.workspace.envVars["PULUMI_CONFIG_PASSPHRASE"] = "automation";
  expect(files()).toEqual(before);
});

test("rename takes state, settings and history along", async () => {
  await stack.rename({ stackName: "next" });
  stack = await Stack.select("next", ws);
  expect(fs.existsSync(path.join(site.workDir, "Pulumi.next.yaml"))).toBe(true);
  expect((await stack.preview()).changeSummary).toEqual({ same: 2 });
  expect((await stack.history()).length).toBeGreaterThan(2);
});

test("a stack with resources is not removed; destroyed and removed it leaves no settings", async () => {
  await expect(ws.removeStack("next")).rejects.toThrow("'next' still has resources; removal rejected");
  expect((await stack.destroy({ remove: true })).summary.resourceChanges).toEqual({ delete: 2 });
  expect([site.things(), fs.existsSync(path.join(site.workDir, "Pulumi.next.yaml")), await ws.listStacks()]).toEqual([[], false, []]);
});
