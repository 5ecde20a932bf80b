import type { ProviderDefinition } from "./resource";
import { serveProvider } from "./serve";

/** Runs a provider as a plugin of its own: prints the port on the first line, serves until it is told to end. */
export async function runPlugin<P>(definition: ProviderDefinition<P>): Promise<void> {
  const running = await serveProvider(definition, process.argv.at(-1));
  let closing = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      running.close().catch((thrown: unknown) => process.stderr.write(`${String(thrown)}\n`));
    });
  }
  process.stdout.write(`${running.port}\n`);
}
