/** `PULUMI_DEBUG_PROVIDERS`: a plugin that somebody started by hand, under a debugger say, serves its package. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const site = new AutomationSite();
const elsewhere = path.join(site.dir, "elsewhere");
fs.mkdirSync(elsewhere);
const plugin = spawn(path.join(__dirname, "../../bench/engine/plugin/pulumi-resource-world"), [], {
  env: { ...process.env, WORLD_DIR: elsewhere },
  stdio: ["ignore", "pipe", "inherit"],
});
afterAll(() => {
  plugin.kill();
  site.remove();
});

test("it is asked in the place of the installed plugin, and outlives the operation", async () => {
  const port = await new Promise<string>((resolve) => plugin.stdout.once("data", (data: Buffer) => resolve(data.toString("utf8").trim())));
  await site.pulumi(["stack", "init", "dev"]);
  const env = { PULUMI_DEBUG_PROVIDERS: `world:${port}` };
  expect((await site.pulumi(["up", "--yes"], { env })).code).toBe(0);
  expect([site.things(), fs.readdirSync(elsewhere)]).toEqual([[], [expect.any(String)]]);
  expect((await site.pulumi(["destroy", "--yes"], { env })).code).toBe(0);
  expect([fs.readdirSync(elsewhere), plugin.exitCode]).toEqual([[], null]);
});

test("a list that is none is refused before anything happens", async () => {
  const { code, stderr } = await site.pulumi(["up", "--yes"], { env: { PULUMI_DEBUG_PROVIDERS: "world" } });
  expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining("PULUMI_DEBUG_PROVIDERS")]);
  expect(code).not.toBe(0);
});
