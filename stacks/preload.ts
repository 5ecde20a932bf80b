/**
 * Loaded into this program's process before the SDK, where the embedded engine runs it for the orchestrator. The SDK's runner
 * loads for every program what only some need: this one serialises no functions, runs no Automation API, and its compiled
 * files have no source maps. What is used after all is loaded then. Measured: docs/adr/0008-what-a-start-loads.md.
 */
import type { DeferredModules } from "../common/defer-module";
import { leanStart } from "../common/lean-start";

const RUNNER_MODULES: DeferredModules = {
  "./automation": { from: "@pulumi/pulumi/index.js", esModule: true },
  // Every run loads it, though only the serialising of functions needs it. It attaches a debugger, which slows all code down.
  "../../runtime/closure/v8Hooks": { from: "@pulumi/pulumi/cmd/run/index.js", instead: { isInitializedAsync: () => Promise.resolve() } },
  // It is loaded for its side effect, which is not wanted here: see stack-traces.ts.
  "source-map-support/register": {},
  ...Object.fromEntries(
    ["resources", "sdk-trace-base", "exporter-zipkin", "instrumentation-grpc", "sdk-trace-node", "instrumentation"].map((name) => [
      `@opentelemetry/${name}`,
      { from: "@pulumi/pulumi/cmd/run/tracing.js" },
    ]),
  ),
};

leanStart("program", RUNNER_MODULES);
