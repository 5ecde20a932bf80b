/**
 * `node bin/stacks/rollouts.js`: whether applications run the images of the settings in their clusters. Takes clusters with kubeconfigs as
 * JSON on standard input and prints the rollout of each application; `homelab apps --rollout` is its parent. Changes nothing. Loads no
 * Pulumi SDK.
 */
import { z } from "zod";
import { systemClock } from "../common/clock";
import { type ClusterApi, openCluster } from "../components/base/cluster-api";
import { runChild } from "./child";
import { waitForRollouts } from "./probes/rollouts";

const requestSchema = z.strictObject({
  /** How long to wait; 0: ask once. */
  seconds: z.number().nonnegative(),
  clusters: z.array(
    z.strictObject({ stack: z.string(), kubeconfig: z.string(), apps: z.array(z.strictObject({ name: z.string(), image: z.string() })).min(1) }),
  ),
});

async function rollouts(input: string): Promise<object> {
  const { seconds, clusters } = requestSchema.parse(JSON.parse(input));
  const apis: ClusterApi[] = [];
  try {
    const wanted = clusters.flatMap(({ stack, kubeconfig, apps }) => {
      const api = openCluster(kubeconfig);
      apis.push(api);
      return apps.map((app) => ({ ...app, stack, api }));
    });
    const found = await waitForRollouts(wanted, seconds, systemClock);
    return { version: 1, apps: [...found].map(([{ stack, name }, rollout]) => ({ stack, app: name, ...rollout })) };
  } finally {
    for (const api of apis) await api.close();
  }
}

if (require.main === module) runChild(rollouts);
