/**
 * The process in which the embedded engine runs this project's providers. A message to it starts an instance, a message from it gives
 * the instance's port, and the closed channel ends the process. One Node start and one load of gRPC serve all providers.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { z } from "zod";
import { replaceOwnEnv } from "../common/env";
import { asError, HomelabError } from "../common/errors";
import type { ProviderDefinition } from "./sdk/resource";
import { type RunningProvider, serveProvider } from "./sdk/serve";

const startSchema = z.object({ id: z.number(), package: z.string(), engineAddress: z.string().optional() });
/** A host that is kept serves one command of the engine after another: each begins in an environment of its own, and at its end what ran for it is closed. */
const requestSchema = z.union([
  z.object({ start: startSchema }),
  z.object({ begin: z.object({ env: z.record(z.string(), z.string()), cwd: z.string() }) }),
  z.object({ end: z.literal(true) }),
]);
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

const closeAll = async (): Promise<void> => void (await Promise.all(running.splice(0).map((instance) => instance.close())));

async function start(request: z.infer<typeof startSchema>): Promise<void> {
  try {
    const instance = await serveProvider(loadProvider(request.package), request.engineAddress);
    running.push(instance);
    process.send?.({ started: { id: request.id, port: instance.port } });
  } catch (thrown) {
    process.send?.({ failed: { id: request.id, message: `the embedded provider ${request.package} cannot be started: ${asError(thrown).message}` } });
  }
}

async function answer(request: z.infer<typeof requestSchema>): Promise<void> {
  if ("start" in request) return start(request.start);
  if ("end" in request) return closeAll();
  replaceOwnEnv(request.begin.env);
  process.chdir(request.begin.cwd);
}

if (require.main === module) {
  // A terminal's Ctrl-C reaches the whole group; the engine decides what it means, and calls Cancel.
  process.on("SIGINT", () => undefined);
  process.on("message", (raw) => {
    answer(requestSchema.parse(raw)).catch((thrown: unknown) => process.stderr.write(`${asError(thrown).stack}\n`));
  });
  process.on("disconnect", () => {
    // A hanging connection must not keep the process alive: nobody waits for its answer any more.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 2_000).unref();
    closeAll().catch((thrown: unknown) => process.stderr.write(`${asError(thrown).stack}\n`));
  });
}
