/** Each namespace of an environment with its policies. Plain data; loads no Pulumi SDK. */
import type { ContainerDefaults, NamespaceArgs, PodSecurity } from "../../components/base/namespace";
import { meshFlows, meshMembers, meshOf, meshRules } from "./mesh";
import { type FlowInput, networkPolicies, type OwnedFlow } from "./network-policies";
import type { ChosenModule, PlannedApplication, PlatformInput } from "./platform-types";

/** For containers without requests and limits: parts of charts that have no values for them. */
export const CONTAINER_DEFAULTS: ContainerDefaults = { cpu: "10m", memory: "64Mi", memoryLimit: "512Mi" };

const UNLIMITED: ContainerDefaults = { cpu: CONTAINER_DEFAULTS.cpu, memory: CONTAINER_DEFAULTS.memory };

/** Namespace of the pods that forward the traffic of k3s's load balancers (ServiceLB). */
const BALANCERS = "kube-system";

/** All flows of an environment. */
export function flowInput(
  input: Omit<PlatformInput, "place"> & { place: { environment: string; domain: string } },
  chosen: readonly ChosenModule[],
): FlowInput {
  const ofModules = chosen.flatMap(({ module, parts }) =>
    parts.flows.map((flow): OwnedFlow => ({ ...flow, of: flow.of ?? parts.namespaces[0] ?? module.name, owner: module.name })),
  );
  const ofApplications = input.applications.flatMap(({ name, namespace, flows }) => flows.map((flow): OwnedFlow => ({ ...flow, of: namespace, owner: name })));
  const declared = [...ofModules, ...ofApplications];
  const server = chosen.find(({ module }) => module.brings.includes("ingress"));
  const [home] = server?.parts.namespaces ?? [];
  return {
    environment: input.place.environment,
    domain: input.place.domain,
    network: input.network,
    routes:
      home === undefined ? input.cluster.routePods : (server?.module.gateway?.pods ?? { namespace: home, labels: {}, ports: server?.parts.routePorts ?? [] }),
    balancers: input.cluster.capabilities.includes("load-balancer") ? [BALANCERS] : [],
    namespaces: [...chosen.flatMap(({ parts }) => parts.namespaces), ...input.applications.map(({ namespace }) => namespace)],
    flows: [...declared, ...meshFlows(chosen, meshMembers(chosen, input.applications, declared))],
  };
}

/** Namespaces with volumes that hold data. */
const withData = (chosen: readonly ChosenModule[]): ReadonlySet<string | undefined> =>
  new Set(
    chosen.flatMap(({ parts: { namespaces, volumes } }) =>
      volumes.filter(({ disposable }) => disposable !== true).map(({ namespace = namespaces[0] }) => namespace),
    ),
  );

/** By name. @param flows without problems. @param quotas by namespace, for those that have one */
export function namespacesOf(
  flows: FlowInput,
  chosen: readonly ChosenModule[],
  applications: readonly PlannedApplication[],
  quotas: ReadonlyMap<string, Readonly<Record<string, string>>>,
): Map<string, NamespaceArgs> {
  const policies = networkPolicies(flows);
  const mesh = meshOf(chosen);
  const inMesh = new Set(meshMembers(chosen, applications, flows.flows));
  const levels = new Map<string, PodSecurity>([
    ...chosen.flatMap(({ parts }) => parts.namespaces.map((name) => [name, parts.podSecurity[name] ?? "restricted"] as const)),
    ...applications.map(({ namespace, podSecurity }) => [namespace, podSecurity] as const),
  ]);
  const unlimited = new Set(chosen.flatMap(({ parts }) => parts.unlimited));
  const kept = withData(chosen);
  return new Map(
    [...levels].map(([name, podSecurity]) => {
      const networkPolicy = policies.get(name);
      const quota = quotas.get(name);
      const meshArgs = mesh !== undefined && inMesh.has(name) ? { mesh: { labels: mesh.mesh.labels, allow: meshRules(name, mesh.mesh, flows.flows) } } : {};
      return [
        name,
        {
          name,
          podSecurity,
          containerDefaults: unlimited.has(name) ? UNLIMITED : CONTAINER_DEFAULTS,
          ...(networkPolicy === undefined ? {} : { networkPolicy }),
          ...(quota === undefined ? {} : { quota }),
          ...(kept.has(name) ? { keep: true } : {}),
          ...meshArgs,
        },
      ];
    }),
  );
}
