/**
 * The platform of an environment as an ordered plan, made from its row of the matrix, the catalogue and what the cluster has. It is checked
 * before anything is registered. Plain data; loads no Pulumi SDK.
 */
import { HomelabError } from "../../common/errors";
import type { NamespaceArgs } from "../../components/base/namespace";
import { MODULES, type ModuleName } from "../../components/platform/catalogue";
import type { ClusterCapability, Module } from "../../components/platform/module";
import type { Place } from "../../components/platform/place";
import { afterMesh, meshMembers, meshProblems, withProxies } from "./mesh";
import { CONTAINER_DEFAULTS, flowInput, namespacesOf } from "./namespaces";
import { flowProblems } from "./network-policies";
import { checkPlatform } from "./platform-checks";
import { readOptions } from "./platform-options";
import { edges, inOrder } from "./platform-order";
import type { ChosenModule, PlannedModule, PlatformInput, PlatformPlan } from "./platform-types";
import { quotasOf } from "./quotas";
import { requestsOf } from "./requests";

/** Everything that is wrong with a platform, in one error. @throws HomelabError E_PLATFORM */
function refuse(environment: string, problems: readonly string[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const message = problems.length === 1 ? first : `${problems.length} errors in the platform:\n  ${problems.join("\n  ")}`;
  throw new HomelabError("E_PLATFORM", message, {
    subject: environment,
    hint: "correct the row of the environment in the matrix; docs/platform.md lists every module",
  });
}

const byName = <T extends { readonly name: string }>(a: T, b: T): number => (a.name < b.name ? -1 : Number(a.name > b.name));

/** By a module's gateway where there is one, otherwise by Ingresses. */
function routesOf({ place }: PlatformInput, chosen: readonly Pick<ChosenModule, "module">[]): Place["routes"] {
  const gateway = chosen.flatMap(({ module }) => module.gateway ?? [])[0];
  return gateway === undefined ? { kind: "ingress", className: place.ingressClass } : { kind: "istio", gateway: gateway.reference };
}

/** What the cluster provides for applications. */
function applicationFacts({ cluster, applications }: PlatformInput, chosen: readonly ChosenModule[]) {
  const has = (capability: ClusterCapability): boolean =>
    cluster.capabilities.includes(capability) || chosen.some(({ module }) => module.brings.includes(capability));
  return {
    hasRoutes: has("ingress"),
    hasMetrics: has("metrics"),
    applicationSecrets: new Map(applications.flatMap(({ namespace, secrets }) => (secrets.length === 0 ? [] : [[namespace, secrets] as const]))),
  };
}

/**
 * @param catalogue all modules. Of modules that do not wait for each other, the one that is listed first there comes first
 * @throws HomelabError E_PLATFORM with everything that is wrong, each with environment and module
 */
export function planPlatform(input: PlatformInput, catalogue: readonly Module[] = MODULES): PlatformPlan {
  const { environment } = input.place;
  const read = readOptions(environment, input.row, catalogue);
  refuse(environment, read.problems);
  const routes = routesOf(input, read.chosen);
  const fixed = { ...input.place, routes, distribution: input.cluster.distribution, kinds: read.chosen.flatMap(({ module }) => module.crds) };
  const partsAt = (place: Place): ChosenModule[] => read.chosen.map(({ module, options }) => ({ module, options, parts: module.parts(options, place) }));
  const hosts = [
    ...partsAt({ ...fixed, hostNames: [], routeNames: [] }).flatMap(({ module, parts }) => parts.hosts.map((host) => ({ ...host, owner: module.name }))),
    ...input.applications.flatMap(({ name, hosts: own }) => own.map((host) => ({ ...host, owner: name }))),
  ].toSorted(byName);
  const place = {
    ...fixed,
    hostNames: hosts.map(({ name }) => name),
    routeNames: hosts.filter(({ route }) => route === "ingress").map(({ name }) => name),
  };
  const chosen = partsAt(place);
  refuse(environment, checkPlatform({ ...input, chosen, hosts, catalogue }));
  const flows = flowInput({ ...input, place }, chosen);
  refuse(environment, [...flowProblems(flows), ...meshProblems(environment, chosen, input.applications, flows.flows)]);
  const members = meshMembers(chosen, input.applications, flows.flows);
  const asking = withProxies(chosen, input.applications, members);
  const requests = requestsOf(environment, input.machines, asking.chosen, asking.applications, CONTAINER_DEFAULTS);
  refuse(environment, requests.problems);
  const waits = edges(afterMesh(chosen, members), input.cluster);
  const { order, cycle } = inOrder(new Map([...waits].map(([name, { before }]) => [name, before])));
  refuse(environment, cycle === undefined ? [] : [`${environment}: the modules need each other in a circle: ${cycle.join(" → ")}`]);
  return {
    environment,
    place,
    cluster: input.cluster,
    hosts,
    beforeApplications: chosen.filter(({ module }) => module.gateway !== undefined || module.mesh !== undefined).map(({ module }) => module.name),
    requests,
    ...applicationFacts(input, chosen),
    namespaces: namespacesOf(flows, chosen, input.applications, quotasOf(asking.chosen, asking.applications, input.machines.length, CONTAINER_DEFAULTS)),
    modules: order.flatMap((name) =>
      chosen
        .filter(({ module }) => module.name === name)
        .map(({ module, options, parts }) => ({
          name,
          options,
          parts,
          after: order.filter((other) => waits.get(name)?.before.has(other)),
          waitsFor: order.filter((other) => waits.get(name)?.whole.has(other)),
          summary: module.summary,
          charts: { ...module.charts, ...parts.charts },
          images: module.images,
          crds: module.crds,
          exceptions: module.exceptions,
        })),
    ),
  };
}

/** A module of the plan. @throws HomelabError E_MODULE_UNKNOWN where the environment does not have it */
export function moduleOf(plan: PlatformPlan, name: string): PlannedModule {
  const found = plan.modules.find((module) => module.name === name);
  if (found !== undefined) return found;
  throw new HomelabError("E_MODULE_UNKNOWN", `${plan.environment} has no module "${name}"`, {
    subject: name,
    hint: `its modules are: ${plan.modules.map((module) => module.name).join(", ")}`,
  });
}

/** What the plan says of a namespace. */
export function plannedNamespace({ environment, namespaces }: PlatformPlan, name: string): NamespaceArgs {
  const found = namespaces.get(name);
  if (found === undefined) throw new Error(`the plan of ${environment} has no namespace "${name}"`);
  return found;
}

export const hasModule = (plan: PlatformPlan, name: ModuleName): boolean => plan.modules.some((module) => module.name === name);
