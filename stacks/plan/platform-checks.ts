/** Checks an environment's platform before anything is registered. Each problem names environment and module. */
import satisfies from "semver/functions/satisfies";
import { rangeOf, rangesMeet } from "../../common/address-range";
import { DNS_LABEL } from "../../common/dns-label";
import { findDefaultCredentials } from "../../components/platform/default-credentials";
import type { Host, Module } from "../../components/platform/module";
import { SECRETS_FROM, type WantedSecret } from "../../components/platform/namespace-grants";
import { isWrittenByStack } from "../../components/platform/vault/vault-names";
import { provides } from "./platform-order";
import type { ChosenModule, PlatformInput } from "./platform-types";

interface Checked extends PlatformInput {
  readonly chosen: readonly ChosenModule[];
  readonly hosts: readonly (Host & { readonly owner: string })[];
  readonly catalogue: readonly Module[];
}

/** A value of secrets/: its entry, and its key there. */
interface SecretKey {
  readonly path: string;
  readonly key: string;
}

/** Namespaces of Kubernetes itself. */
const RESERVED = ["default", "kube-system", "kube-public", "kube-node-lease"];
const NAME = new RegExp(`^(?=.{1,253}$)${DNS_LABEL}(\\.${DNS_LABEL})+$`);

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

function needs({ place, chosen, given, catalogue, cluster }: Checked): string[] {
  return chosen.flatMap(({ module, parts }) => {
    const at = `${place.environment}: ${module.name}`;
    const missing = [...parts.needs, ...parts.uses]
      .filter((need) => !given.has(need) && !chosen.some((other) => provides(other, need)))
      .map((need) => {
        const fill = catalogue.filter((other) => provides({ module: other }, need)).map(({ name }) => name);
        return `${at}: needs ${need}, which nothing here provides; ${fill.length === 0 ? "no module does" : `add ${fill.join(" or ")}`}`;
      });
    const lacking = parts.cluster
      .filter((wanted) => !cluster.capabilities.includes(wanted) && !chosen.some((other) => other.module.brings.includes(wanted)))
      .map((wanted) => `${at}: needs ${wanted} of its cluster, which ${cluster.title} does not have; its cluster has: ${list(cluster.capabilities)}`);
    return [...missing, ...lacking];
  });
}

/** What a cluster can have several of: ingress controllers, each with its own class. Of anything else, a second one would conflict. */
const SEVERAL: readonly string[] = ["ingress"];

function twice({ place, chosen, cluster }: Checked): string[] {
  return chosen.flatMap(({ module }) =>
    module.brings
      .filter((brought) => !SEVERAL.includes(brought) && cluster.capabilities.includes(brought))
      .map((brought) => `${place.environment}: ${module.name}: brings ${brought}, which ${cluster.title} has already; leave out one of them`),
  );
}

/** Classes are objects of the cluster: a second one of a name would take the first one's place. */
function classesTwice({ place, chosen, cluster }: Checked): string[] {
  return (["storageClasses", "ingressClasses"] as const).flatMap((kind) => {
    const what = kind === "storageClasses" ? "storage class" : "ingress class";
    const owner = new Map(cluster[kind].map((name) => [name, cluster.title]));
    return chosen.flatMap(({ module, parts }) =>
      parts.offers[kind].flatMap((name) => {
        const other = owner.get(name);
        owner.set(name, module.name);
        return other === undefined
          ? []
          : [`${place.environment}: ${module.name}: brings the ${what} ${name}, which ${other} brings too; leave out one of them`];
      }),
    );
  });
}

/** Problems with what must have one owner. */
function owners({ place, chosen, applications, hosts }: Checked): string[] {
  const problems: string[] = [];
  const claim = (what: string) => {
    const seen = new Map<string, string>();
    return (thing: string, owner: string): void => {
      const other = seen.get(thing);
      if (other !== undefined) problems.push(`${place.environment}: ${owner}: the ${what} ${thing} belongs to ${other} too; it can have one owner`);
      seen.set(thing, owner);
    };
  };
  const [crd, namespace, host] = [claim("custom resource definition"), claim("namespace"), claim("host name")];
  for (const { module, parts } of chosen) {
    for (const name of module.crds) crd(name, module.name);
    for (const name of parts.namespaces) namespace(name, module.name);
  }
  for (const application of applications) namespace(application.namespace, application.name);
  for (const { name, owner } of hosts) host(name, owner);
  const made = [
    ...chosen.flatMap(({ module, parts }) => parts.namespaces.map((name) => [name, module.name])),
    ...applications.map((app) => [app.namespace, app.name]),
  ];
  for (const [name = "", owner] of made) {
    if (RESERVED.includes(name)) problems.push(`${place.environment}: ${owner}: the namespace ${name} is Kubernetes' own; take another name`);
  }
  return problems;
}

function hostNames({ place, chosen, given, hosts, cluster }: Checked): string[] {
  const there = (need: string): boolean => given.has(need) || chosen.some((other) => provides(other, need));
  const routes = cluster.capabilities.includes("ingress") || chosen.some(({ module }) => module.brings.includes("ingress"));
  return hosts.flatMap(({ name, owner, route }) => {
    const at = `${place.environment}: ${owner}: the host name ${name}`;
    if (!NAME.test(name)) return [`${at} is no name; it consists of a-z, 0-9 and -, with dots between its parts of at most 63 characters`];
    if (name.endsWith(`.${place.domain}.${place.domain}`)) return [`${at} has the domain twice; host names are given without it`];
    if (!name.endsWith(`.${place.domain}`)) return [`${at} is outside the domain ${place.domain}; take a name below it`];
    if (route === "fixed") return [];
    const unrecorded = there("dns-records") ? [] : [`${at} has no record, since nothing writes one; add external-dns`];
    if (route === "balancer") return unrecorded;
    return [
      ...(there("certificates") ? [] : [`${at} has no certificate; add cert-manager`]),
      ...unrecorded,
      ...(routes ? [] : [`${at} has no route, since ${cluster.title} serves none; leave the host name out, or add what serves routes`]),
    ];
  });
}

/** A gateway takes the ports 80 and 443 of the machines, and all routes with them. */
function routeServers({ place, chosen, cluster }: Checked): string[] {
  const gateway = chosen.find(({ module }) => module.gateway !== undefined)?.module.name;
  if (gateway === undefined) return [];
  const others = chosen.filter(({ module }) => module.name !== gateway && module.brings.includes("ingress")).map(({ module }) => module.name);
  const at = `${place.environment}: ${gateway}: serves routes at the ports 80 and 443, and`;
  return [
    ...(cluster.capabilities.includes("ingress") ? [`${at} ${cluster.title} does so too; set homelab:k3sDisable to ["traefik"], or take ${gateway} out`] : []),
    ...others.map((other) => `${at} ${other} does so too; take one of them out`),
  ];
}

function classes({ place, chosen, cluster }: Checked): string[] {
  const offered = {
    storage: [...cluster.storageClasses, ...chosen.flatMap(({ parts }) => parts.offers.storageClasses)],
    ingress: [...cluster.ingressClasses, ...chosen.flatMap(({ parts }) => parts.offers.ingressClasses)],
  };
  const unknown = (owner: string, kind: "storage" | "ingress", wanted: readonly string[]): string[] =>
    wanted
      .filter((name) => !offered[kind].includes(name))
      .map((name) => `${place.environment}: ${owner}: the cluster has no ${kind} class ${name}; it has: ${list(offered[kind])}`);
  return chosen.flatMap(({ module, parts }) => [
    ...unknown(module.name, "storage", parts.storageClasses),
    ...unknown(module.name, "ingress", parts.ingressClasses),
  ]);
}

function addresses({ place, chosen, network, addresses: taken }: Checked): string[] {
  const nodes = rangeOf(network.subnet);
  const pools = chosen.flatMap(({ module, parts }) =>
    parts.addresses.map((text) => ({ owner: module.name, text, range: rangeOf(text), answered: module.brings.includes("load-balancer") })),
  );
  return pools.flatMap(({ owner, text, range, answered }, index) => {
    const at = `${place.environment}: ${owner}: the addresses ${text}`;
    if (range === undefined) return [`${at} are no range; write first-last, such as 10.0.0.200-10.0.0.220, or CIDR`];
    // A balancer answers for its addresses in the nodes' network alone, whose first and last address are nobody's.
    if (answered && nodes !== undefined && (range.first <= nodes.first || range.last >= nodes.last))
      return [`${at} are not all usable ones of the nodes' network ${network.subnet}; nobody would answer for them`];
    const hosts = [...taken].filter(([address]) => {
      const own = rangeOf(address);
      return own !== undefined && rangesMeet(range, own);
    });
    const others = pools.slice(0, index).filter((other) => other.range !== undefined && rangesMeet(range, other.range));
    return [
      ...hosts.map(([address, host]) => `${at} hold ${address}, which is ${host}'s; take a range without it`),
      ...others.map((other) => `${at} overlap those of ${other.owner}, ${other.text}; each address has one owner`),
    ];
  });
}

/** Charts that are not for the cluster's version. Helm refuses such a chart too, but only when it installs it. */
function versions({ place, chosen, cluster }: Checked): string[] {
  return chosen.flatMap(({ module }) =>
    Object.values(module.charts)
      .filter(({ kubeVersion }) => kubeVersion !== undefined && !satisfies(cluster.version, kubeVersion, { includePrerelease: true }))
      .map(
        ({ name, version, kubeVersion }) =>
          `${place.environment}: ${module.name}: chart ${name} ${version} is for Kubernetes ${kubeVersion}, and the cluster runs ${cluster.version}; take another version of one of them`,
      ),
  );
}

/** The API server would refuse their objects, but only after Cluster API has been installed. */
const clusterApiVersions = ({ place, chosen, cluster: { clusterApi } }: Checked): string[] =>
  chosen.flatMap(({ module }) =>
    clusterApi === undefined || module.clusterApi === undefined || satisfies(clusterApi, module.clusterApi, { includePrerelease: true })
      ? []
      : [
          `${place.environment}: ${module.name}: its objects are for Cluster API ${module.clusterApi}, and homelab:clusterApi installs ${clusterApi}; raise its core provider`,
        ],
  );

const valueAt = (values: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[key] : undefined), values);

function credentials({ place, chosen }: Checked): string[] {
  return chosen.flatMap(({ module, options, parts }) => {
    const at = `${place.environment}: ${module.name}`;
    const left = module.defaultCredentials.flatMap(({ path, is, off }) =>
      Object.entries(parts.values)
        .filter(([, values]) => !off(valueAt(values, path)))
        .map(([release]) => `${at}: ${path} of the release ${release} leaves the chart's default on: ${is}`),
    );
    const known = [...findDefaultCredentials(options), ...findDefaultCredentials(parts.values)].map(
      ({ path, of }) => `${at}: ${path} is the default credential of ${of}, which everybody knows; put one of your own into secrets/`,
    );
    return [...left, ...known];
  });
}

function secrets({ place, chosen, applications, given }: Checked): string[] {
  const there = (need: string): boolean => given.has(need) || chosen.some((other) => provides(other, need));
  const unknown = (owner: string, read: readonly SecretKey[]): string[] =>
    read
      .filter(({ path, key }) => !isWrittenByStack(path) && place.entries.get(path)?.includes(key) !== true)
      .map(({ path, key }) => `${place.environment}: ${owner}: reads "${key}" of ${path}, which secrets/ does not have; add it with homelab secrets set`);
  const keysOf = (wanted: readonly WantedSecret[]): SecretKey[] => wanted.flatMap(({ data }) => Object.values(data));
  const ofApplications = applications.flatMap(({ name, secrets: wanted }) => {
    const lacking = wanted.length === 0 ? [] : SECRETS_FROM.filter((module) => !there(module));
    return [
      ...lacking.map((module) => `${place.environment}: ${name}: has secrets, and nothing brings them into its namespace; add ${module}`),
      ...unknown(name, keysOf(wanted)),
    ];
  });
  const ofModules = chosen.flatMap(({ module, parts }) =>
    unknown(module.name, [...parts.programSecrets, ...parts.namespaceSecrets.flatMap(({ wanted }) => keysOf(wanted))]),
  );
  return [...ofModules, ...ofApplications];
}

/** Everything that is wrong, in a fixed order. */
export const checkPlatform = (given: Checked): string[] =>
  [needs, twice, classesTwice, owners, hostNames, routeServers, classes, addresses, versions, clusterApiVersions, credentials, secrets].flatMap((check) =>
    check(given),
  );
