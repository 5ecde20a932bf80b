/** A chart, and where Helm finds it. Loads no Pulumi SDK. */

/** A chart at an exact version. */
export interface Chart {
  /** URL of the repository: `https://…`, or `oci://…` without the chart's name. */
  readonly repository: string;
  readonly name: string;
  readonly version: string;
}

/** Where Helm finds the chart: by its name in a repository with an index, by its whole address in a registry. */
export const chartSource = ({ repository, name }: Chart): { chart: string; repositoryOpts?: { repo: string } } =>
  repository.startsWith("oci://") ? { chart: `${repository.replace(/\/$/, "")}/${name}` } : { chart: name, repositoryOpts: { repo: repository } };
