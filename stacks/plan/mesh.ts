/**
 * Applications in a service mesh: every pod has an identity, and the flows declare who may connect to it. Plain data; loads no Pulumi SDK.
 */
import type { MeshRule } from "../../components/base/namespace";
import type { Mesh } from "../../components/platform/module";
import type { OwnedFlow } from "./network-policies";
import type { ChosenModule, PlannedApplication } from "./platform-types";
import { mebibytes, milliCpu } from "./requests";

interface ChosenMesh {
  /** The module that it is. */
  readonly module: string;
  readonly mesh: Mesh;
}

/** Undefined where the environment has none. */
export function meshOf(chosen: readonly ChosenModule[]): ChosenMesh | undefined {
  const [first] = chosen.flatMap(({ module: { name, mesh } }) => (mesh === undefined ? [] : [{ module: name, mesh }]));
  return first;
}

/** Whether one sends to the other. */
const sends = (from: string, to: string, flows: readonly OwnedFlow[]): boolean =>
  flows.some(({ direction, of, peer }) => (direction === "out" ? of === from && peer === to : of === to && peer === from));

/** Namespaces of the mesh: those of applications, and of modules that send to one, which would not be answered otherwise. */
export function meshMembers(chosen: readonly ChosenModule[], applications: readonly PlannedApplication[], flows: readonly OwnedFlow[]): string[] {
  const found = meshOf(chosen);
  if (found === undefined) return [];
  const own = applications.map(({ namespace }) => namespace);
  const senders = chosen
    .filter(({ module }) => module.name !== found.module)
    .flatMap(({ parts }) => parts.namespaces.filter((namespace) => own.some((application) => sends(namespace, application, flows))));
  return [...own, ...senders];
}

/** Flows for the proxies: each gets its certificate and configuration from the control plane. */
export function meshFlows(chosen: readonly ChosenModule[], members: readonly string[]): OwnedFlow[] {
  const found = meshOf(chosen);
  if (found === undefined) return [];
  const { module: owner, mesh } = found;
  const why = "proxies ask for certificates and routes";
  return members.map((namespace) => ({ of: mesh.namespace, owner, direction: "in", peer: namespace, port: mesh.port, why }));
}

/** The flows to a namespace, each with its sender. */
const incoming = (namespace: string, flows: readonly OwnedFlow[]): { flow: OwnedFlow; sender: string }[] =>
  flows.flatMap((flow) => {
    if (flow.direction === "in" && flow.of === namespace) return [{ flow, sender: flow.peer }];
    return flow.direction === "out" && flow.peer === namespace ? [{ flow, sender: flow.of }] : [];
  });

/** Who may connect to the pods of a namespace of the mesh, in a fixed order. @param flows without {@link meshProblems} */
export function meshRules(namespace: string, { routesIdentity }: Mesh, flows: readonly OwnedFlow[]): MeshRule[] {
  const bySender = new Map<string, Set<number>>();
  for (const { flow, sender } of incoming(namespace, flows)) bySender.set(sender, (bySender.get(sender) ?? new Set()).add(flow.port));
  return [...bySender]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([sender, ports]) => ({
      from: sender === "routes" ? { principal: routesIdentity } : { namespace: sender },
      ports: [...ports].toSorted((a, b) => a - b),
    }));
}

/** Complaints about flows to a namespace of the mesh whose sender has no identity of the mesh: they would be refused. */
export function meshProblems(
  environment: string,
  chosen: readonly ChosenModule[],
  applications: readonly PlannedApplication[],
  flows: readonly OwnedFlow[],
): string[] {
  const found = meshOf(chosen);
  if (found === undefined) return [];
  const members = meshMembers(chosen, applications, flows);
  return members.flatMap((namespace) =>
    incoming(namespace, flows)
      .filter(({ sender }) => sender !== "routes" && !members.includes(sender))
      .map(
        ({ flow, sender }) =>
          `${environment}: ${flow.owner}: the flow "${flow.why}" comes from ${sender}, which is not in the mesh of ${found.module}: ${namespace} answers nobody else; take it by a route, or take ${found.module} out`,
      ),
  );
}

/** Makes modules with a namespace in the mesh wait for it: a pod gets its proxy when it is made. */
export function afterMesh(chosen: readonly ChosenModule[], members: readonly string[]): readonly ChosenModule[] {
  const found = meshOf(chosen);
  if (found === undefined) return chosen;
  return chosen.map((one) =>
    one.parts.namespaces.some((namespace) => members.includes(namespace))
      ? { ...one, parts: { ...one.parts, after: [...one.parts.after, found.module] } }
      : one,
  );
}

/** Modules and applications with what their proxies request. */
export function withProxies(chosen: readonly ChosenModule[], applications: readonly PlannedApplication[], members: readonly string[]) {
  const proxy = meshOf(chosen)?.mesh.proxy;
  if (proxy === undefined) return { chosen, applications };
  return {
    chosen: chosen.map((one): ChosenModule => {
      if (!one.parts.namespaces.some((namespace) => members.includes(namespace))) return one;
      const replicas = one.parts.workloads.reduce((sum, { replicas: own = 1 }) => sum + own, 0);
      return { ...one, parts: { ...one.parts, workloads: [...one.parts.workloads, { name: "proxies", replicas, ...proxy }] } };
    }),
    applications: applications.map((application): PlannedApplication => {
      const { replicas, cpu, memory } = application.requests;
      const requests = { replicas, cpu: `${milliCpu(cpu) + milliCpu(proxy.cpu)}m`, memory: `${mebibytes(memory) + mebibytes(proxy.memory)}Mi` };
      return { ...application, requests };
    }),
  };
}
