/**
 * `node bin/stacks/argo-cd-applications.js`: which Applications of an Argo CD deliver these applications of a stack. Takes the kubeconfigs of
 * the Argo CD's cluster and of the stack's, and the applications, as JSON on standard input. The orchestrator's child (`homelab up`,
 * `homelab preview`). Changes nothing. Loads no Pulumi SDK.
 */
import { z } from "zod";
import { openCluster } from "../components/base/cluster-api";
import { runChild } from "./child";
import { argoCdOwners } from "./probes/argo-cd-owners";

const requestSchema = z.strictObject({
  argoCd: z.string(),
  /** Undefined: the stack is not built. */
  cluster: z.string().optional(),
  stack: z.string(),
  apps: z.array(z.string()),
});

async function answer(input: string): Promise<object> {
  const { argoCd, cluster, stack, apps } = requestSchema.parse(JSON.parse(input));
  const asked = openCluster(argoCd);
  const own = cluster === undefined ? undefined : openCluster(cluster);
  try {
    return { version: 1, found: await argoCdOwners(asked, own, stack, apps) };
  } finally {
    await asked.close();
    await own?.close();
  }
}

if (require.main === module) runChild(answer);
