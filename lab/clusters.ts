import { z } from "zod";
import type { LabSite } from "../common/lab-site";
import { type Controllers, startControllers } from "./controllers";
import { startIngress } from "./controllers/ingress";
import type { LabContext, Stoppable } from "./core/world";
import type { StartCluster } from "./hosts";
import { type Cluster, startCluster } from "./kubernetes";

const savedSchema = z.object({ cluster: z.unknown(), controllers: z.unknown() });

export interface RunningCluster {
  cluster: Cluster;
  controllers: Controllers;
}

/** The clusters that run now, with what runs inside them. */
export interface ClusterRegistry extends Stoppable {
  start: StartCluster;
  running(): RunningCluster[];
  /** Resolves when no controller has anything to do. */
  settled(): Promise<void>;
}

/**
 * @param site says which stack each host belongs to; read when a cluster starts. A cluster is named after its stack, or after its host if no
 *   stack owns the host
 * @param onChange called when a cluster has started or stopped
 */
export async function createClusters(ctx: LabContext, site: Pick<LabSite, "stacks">, onChange: () => void): Promise<ClusterRegistry> {
  const running = new Set<RunningCluster>();
  const ingress = await startIngress(ctx, () => running.values());
  return {
    running: () => [...running],
    settled: async () => {
      for (const { controllers } of running) await controllers.settled();
    },
    start: async ({ name, address, disabled, version, state }) => {
      const saved = state === undefined ? undefined : savedSchema.parse(state);
      const cluster = await startCluster({
        name: site.stacks.find(({ hosts }) => hosts.includes(name))?.name ?? name,
        node: name,
        address,
        ctx,
        disabled,
        ...(version === undefined ? {} : { version }),
        ...(saved === undefined ? {} : { saved: saved.cluster }),
      });
      const entry = { cluster, controllers: startControllers(cluster, ctx, saved?.controllers) };
      running.add(entry);
      onChange();
      return {
        adminKubeconfig: (wanted) => cluster.adminKubeconfig(wanted),
        save: () => ({ cluster: cluster.save(), controllers: entry.controllers.save() }),
        stop: async () => {
          running.delete(entry);
          onChange();
          await entry.controllers.stop();
          await cluster.stop();
        },
      };
    },
    stop: () => ingress.stop(),
  };
}
