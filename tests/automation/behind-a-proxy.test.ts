/** Everything on this machine: engine, programs and plugins reach each other behind a proxy that answers nobody. */
import * as pulumi from "@pulumi/pulumi";
import { type EngineEvent, LocalWorkspace } from "@pulumi/pulumi/automation";
import { AutomationSite } from "./site";

// Each test starts several processes; a busy machine takes its time.
jest.setTimeout(240_000);

const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "grpc_proxy"];
const DEAD = {
  ...Object.fromEntries(PROXIES.map((name) => [name, "http://127.0.0.1:1"])),
  ...{ NO_PROXY: "", no_proxy: "", no_grpc_proxy: "", NODE_USE_ENV_PROXY: "1" },
};
const site = new AutomationSite();
afterAll(() => site.remove());

class Thing extends pulumi.CustomResource {}

test("a program in a process of its own is run, and its provider", async () => {
  expect(await site.pulumi(["stack", "init", "behind"], { env: DEAD })).toMatchObject({ code: 0 });
  const up = await site.pulumi(["up", "--yes", "--stack", "behind"], { env: DEAD });
  // Node 22 says of itself that it takes NODE_USE_ENV_PROXY as an experiment.
  const said = up.stderr.replace(/^\(node:\d+\) \[UNDICI-EHPA\] .*\n\(Use `node --trace-warnings .*\n/m, "");
  expect([up.code, said, site.things()]).toEqual([0, "", ["thing-0"]]);
});

test("an inline program, its hooks and its events come through", async () => {
  const settings = await site.options();
  const program = async () => {
    const hook = new pulumi.ResourceHook("seen", () => undefined);
    new Thing("world:index:Thing", "inline", { name: "inline" }, { hooks: { afterCreate: [hook] } });
  };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: "inline", projectName: "auto", program },
    { ...settings, envVars: { ...settings.envVars, ...DEAD } },
  );
  const events: EngineEvent[] = [];
  const { summary } = await stack.up({ onEvent: (event) => events.push(event) });
  expect([summary.result, site.things(), events.some((event) => event.summaryEvent)]).toEqual(["succeeded", ["inline", "thing-0"], true]);
});
