/** Inline programs: the program stays in this process, the engine calls back. */
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { AutomationSite } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

/** A resource of any type: what the SDK's class leaves to generated code is nothing but its name. */
class Thing extends pulumi.CustomResource {}

const site = new AutomationSite();
afterAll(() => site.remove());

test("an inline program is previewed, built, refreshed without being run, and destroyed", async () => {
  let runs = 0;
  const program = async () => {
    runs++;
    const thing = new Thing("world:index:Thing", "inline", { name: "inline" });
    return { urn: thing.urn };
  };
  const stack = await LocalWorkspace.createOrSelectStack({ stackName: "inline", projectName: "auto", program }, await site.options());
  expect((await stack.preview()).changeSummary).toEqual({ create: 2 });
  const { outputs, summary } = await stack.up();
  expect([summary.resourceChanges, String(outputs["urn"]?.value).endsWith("world:index:Thing::inline"), site.things()]).toEqual([
    { create: 2 },
    true,
    ["inline"],
  ]);
  expect(runs).toBe(2);
  await stack.refresh();
  await stack.destroy();
  expect([runs, site.things()]).toEqual([2, []]);
});
