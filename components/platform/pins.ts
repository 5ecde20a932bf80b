/** What is taken from elsewhere, at exact versions. Types only. */

/** A chart at an exact version. */
export interface ChartPin {
  /** URL of the repository: `https://…`, or `oci://…` without the chart's name. */
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  /** Why this version. */
  readonly why: string;
  /** Versions of Kubernetes that it is for, as its Chart.yaml says (`kubeVersion`). Left out: it names none. */
  readonly kubeVersion?: string;
  /**
   * For a chart with definitions in its folder `crds/`, which Helm installs once and never upgrades. `apply`: a resource of its own applies
   * those of each version before the release. `leave-out`: they are not installed, since nothing here uses them.
   */
  readonly crdsFolder?: "apply" | "leave-out";
}

/** An image at an exact version. */
export interface ImagePin {
  /** With registry and tag or digest. */
  readonly image: string;
  readonly why: string;
}
