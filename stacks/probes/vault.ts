/** Vault: whether it answers, is initialized, and is unsealed. */

import { z } from "zod";
import { createHttpClient } from "../../common/http";
import { type Finding, ok, wrong } from "./finding";

const healthSchema = z.object({ initialized: z.boolean(), sealed: z.boolean(), version: z.string().optional() });

/** @throws Error where something else answers, or nobody */
export async function probeVault(address: string): Promise<Finding[]> {
  const client = createHttpClient(address);
  try {
    const { body, status } = await client.request({ method: "GET", url: new URL("/v1/sys/health", address).href, timeoutMs: 15_000 });
    const health = healthSchema.safeParse(jsonOf(body));
    if (!health.success) throw new Error(`what answers at ${address} is not Vault (status ${status})`);
    const { initialized, sealed, version = "" } = health.data;
    if (!initialized) return [wrong("vault", `${address} was never initialised`, "`homelab up` does it for the stack that Vault runs in")];
    if (sealed) return [wrong("vault", `${address} is sealed`, "`homelab vault unseal` (docs/runbooks.md)")];
    return [ok("vault", `${version} at ${address} is unsealed`)];
  } finally {
    await client.close();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON text means undefined, so this says: not JSON.
    return undefined;
  }
}
