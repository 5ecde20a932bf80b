/** What a project lets its Applications do: from which repositories, into which namespaces of which clusters, and which kinds. */
import { withoutGit } from "./repository";
import { type Destination, NotModelled, type ProjectSpec, type Source } from "./schema";

/** Argo CD's patterns, as far as the lab has them: `*` for any text. */
function matches(pattern: string, value: string): boolean {
  if (/[!?[\]{}\\]/.test(pattern)) throw new NotModelled(`not modelled by the lab: the pattern ${pattern}`);
  return new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replaceAll(/[.+^$()|/]/g, "\\$&"))
      .join(".*")}$`,
  ).test(value);
}

export interface Project {
  readonly name: string;
  readonly spec: ProjectSpec;
}

/** A cluster as destinations name it. */
export interface NamedCluster {
  readonly name: string;
  readonly server: string;
}

const destinationAllowed = ({ spec }: Project, cluster: NamedCluster, namespace: string): boolean =>
  spec.destinations.some((allowed) => {
    const server = allowed.name === undefined ? matches(allowed.server ?? "", cluster.server) : matches(allowed.name, cluster.name);
    return server && matches(allowed.namespace ?? "", namespace);
  });

/** Violations of the Application's project, each as the message of a condition. */
export function refusedByProject(project: Project, source: Source, destination: Destination, cluster: NamedCluster): string[] {
  const { name, spec } = project;
  const { namespace = "" } = destination;
  const repository = spec.sourceRepos.some((allowed) => matches(withoutGit(allowed), withoutGit(source.repoURL)));
  return [
    ...(repository ? [] : [`application repo ${source.repoURL} is not permitted in project '${name}'`]),
    ...(destinationAllowed(project, cluster, namespace)
      ? []
      : [
          `application destination server '${destination.name ?? cluster.server}' and namespace '${namespace}' do not match any of the allowed destinations in project '${name}'`,
        ]),
  ];
}

export interface WantedKind {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined for a kind that has none. */
  readonly namespace: string | undefined;
}

/** Why an object may not be made by an Application of the project; undefined where it may. */
export function refusedKind(project: Project, { group, kind, name, namespace }: WantedKind, cluster: NamedCluster): string | undefined {
  const { spec } = project;
  const named = (list: readonly { group: string; kind: string; name?: string | undefined }[]): boolean =>
    list.some((each) => matches(each.group, group) && matches(each.kind, kind) && (each.name === undefined || matches(each.name, name)));
  const permitted =
    namespace === undefined
      ? named(spec.clusterResourceWhitelist) && !named(spec.clusterResourceBlacklist)
      : (spec.namespaceResourceWhitelist === undefined || named(spec.namespaceResourceWhitelist)) && !named(spec.namespaceResourceBlacklist);
  if (!permitted) return `resource ${group}:${kind} is not permitted in project ${project.name}`;
  if (namespace !== undefined && !destinationAllowed(project, cluster, namespace))
    return `namespace ${namespace} is not permitted in project '${project.name}'`;
  return undefined;
}
