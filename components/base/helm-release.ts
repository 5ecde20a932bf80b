import { Release, type ReleaseArgs } from "@pulumi/kubernetes/helm/v3/release";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "./component";

/** A chart at an exact version. */
interface Chart {
  /** URL of the repository: `https://…`, or `oci://…` without the chart's name. */
  repository: string;
  name: string;
  version: string;
}

/** Where Helm finds the chart: by its name in a repository with an index, by its whole address in a registry. */
const sourceOf = ({ repository, name }: Chart): Pick<ReleaseArgs, "chart" | "repositoryOpts"> =>
  repository.startsWith("oci://") ? { chart: `${repository.replace(/\/$/, "")}/${name}` } : { chart: name, repositoryOpts: { repo: repository } };

export interface HelmReleaseArgs {
  /** Name of the release; names of what the chart makes are built from it. */
  releaseName: string;
  namespace: pulumi.Input<string>;
  chart: Chart;
  values: Record<string, unknown>;
  /** true: do not wait until the workloads are ready, for one that cannot be ready yet. Default false: wait, and roll back a failure. */
  skipAwait?: boolean;
  /** Default 10. */
  timeoutMinutes?: number;
}

export class HelmRelease extends Component {
  /** Known once the release is installed. */
  readonly releaseName: pulumi.Output<string>;

  constructor(name: string, args: HelmReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("base:HelmRelease", name, opts);
    const minutes = args.timeoutMinutes ?? 10;
    const skipAwait = args.skipAwait ?? false;
    const release = new Release(
      `${name}-release`,
      {
        name: args.releaseName,
        namespace: args.namespace,
        ...sourceOf(args.chart),
        version: args.chart.version,
        values: args.values,
        skipAwait,
        atomic: !skipAwait,
        timeout: minutes * 60,
      },
      // The engine's limit comes after Helm's own, so that Helm can still roll back.
      this.child({ customTimeouts: timeouts(minutes + 2) }),
    );
    this.releaseName = release.name;
    this.registerOutputs({ releaseName: this.releaseName });
  }
}
