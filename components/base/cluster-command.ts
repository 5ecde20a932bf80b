/** Our commands that do something in a cluster that no resource of the Kubernetes provider does. */

import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterTask } from "./cluster-task";
import { ERRORS_ONLY } from "./command-log";
import { homeOf, timeouts } from "./component";

/** How a command reaches the cluster of a provider. */
interface Reach {
  /** Secret. */
  kubeconfig: pulumi.Input<string>;
  /** The checkout, in which the command runs. */
  checkout: string;
}

const reaches = new WeakMap<pulumi.ProviderResource, Reach>();

/** Says how commands reach the cluster that a provider works on: a provider does not give back its own kubeconfig. */
export function reachedBy(provider: pulumi.ProviderResource, reach: Reach): void {
  reaches.set(provider, reach);
}

const RUN = "node bin/components/base/cluster-task.main.js";
/** Minutes beyond the task's own budget, so that the task ends first and says why. */
const MINUTES_BEYOND = 2;

/**
 * @param provider of the cluster, for which {@link reachedBy} was called
 * @param task run when the resource is made, and again when it has changed
 * @param more `removes`: the task is undone when the resource is deleted, unless the whole cluster is. It is given its last output
 */
export function clusterCommand(
  name: string,
  provider: pulumi.ProviderResource | undefined,
  task: pulumi.Input<ClusterTask>,
  budgetSeconds: number,
  opts: pulumi.CustomResourceOptions,
  more: { removes?: boolean } = {},
): Command {
  const reach = provider === undefined ? undefined : reaches.get(provider);
  if (reach === undefined) throw new Error(`${name}: nobody has said how commands reach the cluster of its provider (reachedBy)`);
  const stdin = pulumi.secret(
    pulumi.all([pulumi.output(reach.kubeconfig), task]).apply(([kubeconfig, rest]) => JSON.stringify({ ...rest, budgetSeconds, kubeconfig })),
  );
  const removes = more.removes === true;
  const home = removes && provider !== undefined ? homeOf(provider) : undefined;
  return new Command(
    name,
    { create: RUN, ...(removes ? { delete: `${RUN} remove` } : {}), stdin, dir: reach.checkout, logging: ERRORS_ONLY, addPreviousOutputInEnv: removes },
    {
      ...opts,
      ...(home === undefined ? {} : { deletedWith: home }),
      // The path of the checkout says nothing about the cluster. For `logging` see command-log.ts.
      ignoreChanges: ["dir", "logging"],
      customTimeouts: timeouts(Math.ceil(budgetSeconds / 60) + MINUTES_BEYOND),
    },
  );
}
