/** What is taken from elsewhere, at exact versions. Types only. */

/** A chart at an exact version. */
export interface ChartPin {
  /** URL of the repository: `https://…`, or `oci://…` without the chart's name. */
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  /** Why this version. */
  readonly why: string;
}

/** An image at an exact version. */
export interface ImagePin {
  /** With registry and tag or digest. */
  readonly image: string;
  readonly why: string;
}
