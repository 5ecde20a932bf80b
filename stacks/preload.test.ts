import { spawnSync } from "node:child_process";
import * as path from "node:path";

const root = path.join(__dirname, "..");

/** Runs a script in a process with the program's preload, as it is when the SDK's runner loads. */
function afterPreload(script: string): unknown {
  const helpers = `
    const { createRequire } = require("node:module");
    const sdk = (file) => require.resolve("@pulumi/pulumi/" + file);
    const fromFile = (file) => createRequire(sdk(file));
    const loaded = (part) => Object.keys(require.cache).filter((file) => file.includes(part)).length > 0;
    const say = (value) => console.log(JSON.stringify(value));`;
  const args = ["--require", "./bin/stacks/preload.js", "-e", `${helpers}\n${script}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

test("the SDK comes without the Automation API, which is there when it is asked for", () => {
  const answer = afterPreload(`
    const pulumi = require("@pulumi/pulumi");
    const before = loaded("@pulumi/pulumi/automation/");
    say([before, typeof pulumi.automation.LocalWorkspace, loaded("@pulumi/pulumi/automation/")]);`);
  expect(answer).toEqual([false, "function", true]);
});

test("the runner's debugger, tracing and source maps stay out, and its question for the debugger has its answer", () => {
  const answer = afterPreload(`
    const runner = fromFile("cmd/run/index.js");
    runner("./tracing");
    runner("source-map-support/register");
    const hooks = runner("../../runtime/closure/v8Hooks");
    hooks.isInitializedAsync().then(() => {
      const out = ["closure/v8Hooks", "source-map-support/", "@opentelemetry/sdk-trace-base"].map(loaded);
      say([out, typeof hooks.getSessionAsync, loaded("closure/v8Hooks")]);
    });`);
  expect(answer).toEqual([[false, false, false], "function", true]);
});
