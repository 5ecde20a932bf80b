import { Release } from "@pulumi/kubernetes/helm/v3/release";
import * as pulumi from "@pulumi/pulumi";
import type { ChartPin } from "../platform/pins";
import { type Chart, chartSource } from "./chart";
import type { Manifest } from "./cluster-api";
import { clusterCommand } from "./cluster-command";
import type { ClusterTask } from "./cluster-task";
import { after, Component, timeouts } from "./component";

export interface HelmReleaseArgs {
  /** Name of the release; names of what the chart makes are built from it. */
  releaseName: string;
  namespace: pulumi.Input<string>;
  chart: Chart & Pick<ChartPin, "crdsFolder">;
  values: Record<string, unknown>;
  /** true: do not wait until the workloads are ready, for one that cannot be ready yet. Default false: wait, and roll back a failure. */
  skipAwait?: boolean;
  /**
   * One valid object for each webhook of the release. They are sent as dry runs and never created. Whoever depends on the release waits
   * until all of them are admitted. Default none.
   */
  admits?: readonly Manifest[];
  /**
   * Names of the release's StatefulSets with the update strategy `OnDelete`. After each revision, `<name>-rollout-<set>` deletes their
   * outdated pods one by one. Default none.
   */
  rollsOut?: readonly string[];
  /** Default 10. */
  timeoutMinutes?: number;
}

/** After the pods are ready: a certificate is made, handed to the API server, and trusted. */
const ADMISSION_SECONDS = 300;
const CRDS_SECONDS = 120;
/** A pod ends, an image is pulled, and another one starts. */
const ROLLOUT_SECONDS = 600;

/**
 * A chart, installed. Helm compares the chart with the cluster's version, so one that does not fit is refused before anything is made.
 * What Helm does not do is a resource of its own: `<name>-crds` applies the definitions of the chart's folder `crds/` at each version,
 * `<name>-admission` waits until the webhooks admit, and `<name>-rollout-<set>` replaces pods of an older template.
 */
export class HelmRelease extends Component {
  /** Known once the release is installed, its webhooks admit, and the pods that it rolls out run. */
  readonly releaseName: pulumi.Output<string>;
  /** Counts installations and upgrades. */
  readonly revision: pulumi.Output<number>;

  constructor(name: string, args: HelmReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:HelmRelease", name, opts);
    const minutes = args.timeoutMinutes ?? 10;
    const skipAwait = args.skipAwait ?? false;
    const { repository, version, crdsFolder } = args.chart;
    const crds =
      crdsFolder === "apply" ? this.#task(`${name}-crds`, CRDS_SECONDS, { do: "crds", chart: { repository, name: args.chart.name, version } }) : undefined;
    const release = new Release(
      `${name}-release`,
      {
        name: args.releaseName,
        namespace: args.namespace,
        ...chartSource(args.chart),
        version,
        values: args.values,
        skipAwait,
        atomic: !skipAwait,
        timeout: minutes * 60,
        ...(crdsFolder === undefined ? {} : { skipCrds: true }),
      },
      // The engine's limit comes after Helm's own, so that Helm can still roll back.
      this.child({ customTimeouts: timeouts(minutes + 2), ...(crds === undefined ? {} : { dependsOn: [crds] }) }),
    );
    this.revision = release.status.revision;
    const objects = args.admits ?? [];
    const admission =
      objects.length === 0
        ? undefined
        : this.#task(
            `${name}-admission`,
            ADMISSION_SECONDS,
            // Each revision may bring other webhooks, or other pods that answer.
            release.status.revision.apply((revision) => ({ do: "admission" as const, release: args.releaseName, revision, objects: [...objects] })),
            [release],
          );
    const rollouts = (args.rollsOut ?? []).map((set) =>
      this.#task(
        `${name}-rollout-${set}`,
        ROLLOUT_SECONDS,
        pulumi
          .all([release.status.revision, args.namespace])
          .apply(([revision, namespace]) => ({ do: "rollout" as const, revision, set: { namespace, name: set } })),
        [release],
      ),
    );
    const steps = [...(admission === undefined ? [] : [admission]), ...rollouts];
    this.releaseName = steps.length === 0 ? release.name : after(steps, release.name);
    this.registerOutputs({ releaseName: this.releaseName });
  }

  #task(name: string, seconds: number, task: pulumi.Input<ClusterTask>, dependsOn: pulumi.Resource[] = []): pulumi.Resource {
    return clusterCommand(name, this.getProvider("kubernetes:helm.sh/v3:Release"), task, seconds, this.child({ dependsOn }));
  }
}
