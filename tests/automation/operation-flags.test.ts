/** Flags of operations that change settings or stacks, and states of earlier versions. */
import * as fs from "node:fs";
import * as path from "node:path";
import { AutomationSite } from "./site";

jest.setTimeout(240_000);

const site = new AutomationSite({ oneProcess: true });
afterAll(() => site.remove());
const settings = () => fs.readFileSync(path.join(site.workDir, "Pulumi.dev.yaml"), "utf8");

test("up --config keeps a setting and runs with it; each version of the state can be exported; destroy --remove takes the stack along", async () => {
  await site.pulumi(["stack", "init", "dev", "--yes"]);
  expect(await site.pulumi(["up", "--yes", "-c", "count=2", "--config", "size=3", "--suppress-permalink", "--skip-plugin-pre-install"])).toMatchObject({
    code: 0,
  });
  expect(settings()).toContain('config:\n  auto:count: "2"\n  auto:size: "3"\n');
  expect(site.things()).toEqual(["thing-0", "thing-1"]);
  expect(await site.pulumi(["preview", "--config", "map.inner=5", "--config-path", "--suppress-permalink=true", "--urns"])).toMatchObject({ code: 0 });
  expect(settings()).toContain("  auto:map:\n    inner: 5\n");
  expect(await site.pulumi(["up", "--yes", "-c", "count"])).toMatchObject({ code: 1, stderr: expect.stringContaining("must be in the form [key]=[value]") });

  expect(await site.pulumi(["up", "--yes", "-c", "count=1"])).toMatchObject({ code: 0 });
  const names = async (args: string[]) => JSON.parse((await site.pulumi(["stack", "export", ...args])).stdout).deployment.resources.length;
  expect([await names(["--version", "1"]), await names(["--version", "2"]), await names([])]).toEqual([4, 3, 3]);
  expect((await site.pulumi(["stack", "history"])).stdout).toMatch(/^Version: 2\n.*\nVersion: 1\n/s);
  expect((await site.pulumi(["stack", "history", "--page-size", "1", "--page", "2"])).stdout).toMatch(/^Version: 1\n/);
  expect(await site.pulumi(["stack", "export", "--version", "3"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("has no version 3: its history has 2 entries"),
  });

  const urns = await site.pulumi(["preview", "--urns", "-c", "count=2"]);
  expect(urns.stdout).toContain("world:index:Thing urn:pulumi:dev::auto::world:index:Thing::thing-1 create");
  expect(await site.pulumi(["destroy", "--yes", "--remove"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Stack 'dev' has been removed!") });
  expect(site.things()).toEqual([]);
  expect(fs.existsSync(path.join(site.workDir, "Pulumi.dev.yaml"))).toBe(false);
  expect(JSON.parse((await site.pulumi(["stack", "ls", "--json"])).stdout)).toEqual([]);
});

test("a setting that would name resources by other rules is refused by its name", async () => {
  await site.pulumi(["stack", "init", "names", "--yes"]);
  await site.pulumi(["config", "set", "--path", "pulumi:autonaming.mode", "verbatim"]);
  const refused = { code: 2, stderr: expect.stringContaining("the setting pulumi:autonaming (rules for automatic names) is not supported") };
  expect(await site.pulumi(["preview"])).toMatchObject(refused);
  expect(await site.pulumi(["up", "--yes"])).toMatchObject(refused);
  await site.pulumi(["config", "set", "--path", "pulumi:autonaming.mode", "default"]);
  expect(await site.pulumi(["preview"])).toMatchObject({ code: 0 });
});
