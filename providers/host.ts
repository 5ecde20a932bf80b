/**
 * The process in which the embedded engine runs this project's providers. A message to it starts an instance, a message from it gives
 * the instance's port, and the closed channel ends the process. One Node start and one load of gRPC serve all providers.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { asError, HomelabError } from "../common/errors";
import type { ProviderDefinition } from "./sdk/resource";
import { type RunningProvider, serveProvider } from "./sdk/serve";

const requestSchema = z.object({ start: z.object({ id: z.number(), package: z.string(), engineAddress: z.string().optional() }) });
const moduleSchema = z.object({ provider: z.custom<ProviderDefinition>((value) => typeof value === "object" && value !== null && "resource" in value) });

/** A provider is the folder of its package's name: `<package>/provider.ts` exports `provider`. Loaded when first needed. */
function loadProvider(name: string): ProviderDefinition {
  const file = path.join(__dirname, name, "provider.js");
  if (!/^[a-z][a-z0-9-]*$/.test(name) || !fs.existsSync(file)) {
    throw new HomelabError("E_NO_PROVIDER", `there is no embedded provider ${name} (${file})`);
  }
  return moduleSchema.parse(require(file)).provider;
}

const running: RunningProvider[] = [];

async function start(request: z.infer<typeof requestSchema>["start"]): Promise<void> {
  try {
    const instance = await serveProvider(loadProvider(request.package), request.engineAddress);
    running.push(instance);
    process.send?.({ started: { id: request.id, port: instance.port } });
  } catch (thrown) {
    process.send?.({ failed: { id: request.id, message: `the embedded provider ${request.package} cannot be started: ${asError(thrown).message}` } });
  }
}

if (require.main === module) {
  // A terminal's Ctrl-C reaches the whole group; the engine decides what it means, and calls Cancel.
  process.on("SIGINT", () => undefined);
  process.on("message", (raw) => {
    start(requestSchema.parse(raw).start).catch((thrown: unknown) => process.stderr.write(`${asError(thrown).stack}\n`));
  });
  process.on("disconnect", () => {
    // A hanging connection must not keep the process alive: nobody waits for its answer any more.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 2_000).unref();
    Promise.all(running.map((instance) => instance.close())).catch((thrown: unknown) => process.stderr.write(`${asError(thrown).stack}\n`));
  });
}
