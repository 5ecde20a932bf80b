/** Rules for every resource that the programs of all stacks register. Exceptions are listed here, with their reasons. */
import { chartSource } from "../../components/base/chart";
import { MODULES } from "../../components/platform/catalogue";
import { findDefaultCredentials } from "../../components/platform/default-credentials";
import type { ChartPin } from "../../components/platform/pins";
import { findChart, folderCrds } from "../../lab/artefacts/charts";
import { loadEstate } from "../../stacks/load/estate";
import { planEstate } from "../../stacks/plan/plan";
import { only, plain, type Registered } from "../support/pulumi-mocks";
import { ownRuns } from "../support/stack-run";

const { names: STACK_NAMES, registeredBy } = ownRuns();

const plans = planEstate(loadEstate());
const planOf = (stack: string) => plans.get(stack)?.platform;

interface Manifest {
  metadata?: { name?: string; namespace?: string; annotations?: Record<string, string>; labels?: Record<string, string> };
  spec?: Record<string, unknown>;
}
const manifest = ({ inputs }: Registered): Manifest => plain(inputs) as Manifest;
const label = ({ type, name }: Registered): string => `${type} ${name}`;
const isKubernetes = ({ type }: Registered): boolean => type.startsWith("kubernetes:");
const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

/** The names of all resources that a resource waits for, directly or through others. */
function waitsFor(resource: Registered, all: readonly Registered[]): Set<string> {
  const found = new Set<string>();
  const visit = (one: Registered): void => {
    for (const name of one.dependencies.map(nameOf)) {
      if (found.has(name)) continue;
      found.add(name);
      all.filter((other) => other.name === name).forEach(visit);
    }
  };
  visit(resource);
  return found;
}

/** The name of the custom resource definition of a resource's kind. Empty for Kubernetes' own kinds. */
function crdOf({ type }: Registered): string {
  const [, group = "", kind = ""] = /^kubernetes:([^/]+)\/[^:]+:(\w+)$/.exec(type) ?? [];
  return group.includes(".") && !group.endsWith(".k8s.io") && group !== "helm.sh" ? `${kind.toLowerCase().replace(/([^aeiou])y$/, "$1ie")}s.${group}` : "";
}

test("a chart with definitions in crds/, which Helm never upgrades, says in its pin what becomes of them, and says for which Kubernetes it is", () => {
  const pins: ChartPin[] = MODULES.flatMap(({ charts }) => Object.values(charts));
  const said = pins.map(({ name, crdsFolder, kubeVersion }) => [name, crdsFolder !== undefined, kubeVersion]);
  const charts = pins.map(({ repository, name, version }) => findChart(repository, name, version));
  expect(said).toEqual(charts.map((chart) => [chart?.name, chart !== undefined && folderCrds(chart).length > 0, chart?.kubeVersion]));
});

/** Workloads that modules register themselves, without a chart. */
const OF_MODULES: Readonly<Record<string, readonly string[]>> = {
  harbor: ["harbor-valkey-deployment"],
  "snapshot-controller": ["snapshot-controller-deployment"],
  immich: ["immich-machine-learning-deployment", "immich-server-deployment", "immich-valkey-deployment"],
};
/** Workloads of these that use the cluster's API, each with the reason. */
const ASKS_THE_API: Readonly<Record<string, string>> = { "snapshot-controller-deployment": "reads snapshots and writes what became of them" };

describe.each(STACK_NAMES)("in %s", (stack) => {
  let registered: Registered[];
  beforeAll(async () => {
    registered = await registeredBy(stack);
  });

  test("each resource of Kubernetes names the stack's own cluster", () => {
    const others = registered.filter((resource) => isKubernetes(resource) && !resource.provider?.includes(`::${stack}-provider::`)).map(label);
    expect(others).toEqual([]);
  });

  test("each custom resource waits for the release or the manifest that owns its definition, and until the webhooks of that admit", () => {
    const customs = registered.filter((resource) => crdOf(resource) !== "");
    expect(customs.length).toBeGreaterThan(2);
    const awaited = (release: string): string[] => [
      `${release}-release`,
      ...registered.filter(({ name }) => name === `${release}-admission`).map(({ name }) => name),
    ];
    const bad = customs.filter((resource) => {
      const owner = planOf(stack)?.modules.find(({ crds }) => crds.includes(crdOf(resource)));
      if (owner === undefined) return true;
      const before = waitsFor(resource, registered);
      // Some modules apply published manifests instead of a release.
      const manifests = registered.filter(({ name }) => name.startsWith(`${owner.name}-`) && name.endsWith("-manifest")).map(({ name }) => [name]);
      return ![...Object.keys(owner.charts).map(awaited), ...manifests].some((names) => names.every((name) => before.has(name)));
    });
    expect(bad.map(label)).toEqual([]);
  });

  test("each object in a namespace that the program makes waits for it, and each other namespace is the program's too", () => {
    const made = new Map(
      registered.filter(({ type }) => type === "kubernetes:core/v1:Namespace").map((resource) => [manifest(resource).metadata?.name ?? "", resource.name]),
    );
    const inside = registered.filter(
      (resource) => isKubernetes(resource) && (manifest(resource).metadata?.namespace ?? resource.inputs["namespace"]) !== undefined,
    );
    expect(inside.length).toBeGreaterThan(5);
    const bad = inside.filter((resource) => {
      const namespace = String(manifest(resource).metadata?.namespace ?? resource.inputs["namespace"]);
      return !waitsFor(resource, registered).has(made.get(namespace) ?? "no namespace of the program");
    });
    expect(bad.map(label)).toEqual([]);
  });

  test("each namespace is one that the plan or an application has", () => {
    const made = registered.filter(({ type }) => type === "kubernetes:core/v1:Namespace").map((resource) => manifest(resource).metadata?.name ?? "");
    const planned = planOf(stack)?.modules.flatMap(({ parts }) => parts.namespaces) ?? [];
    const apps = registered.filter(({ type }) => type === "homelab:apps:WebApp").map(({ name }) => name);
    expect(made.toSorted()).toEqual([...planned, ...apps].toSorted());
  });

  test("each release is the chart, the version and the values of the plan, and holds no default credential", () => {
    const releases = registered.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
    const planned =
      planOf(stack)?.modules.flatMap(({ charts, parts }) =>
        Object.entries(charts).map(([release, chart]) => ({ release, chart, values: parts.values[release] })),
      ) ?? [];
    expect(releases.map(({ inputs }) => inputs["name"]).toSorted()).toEqual(planned.map(({ release }) => release).toSorted());
    for (const { release, chart, values } of planned) {
      const inputs = plain(releases.find(({ inputs: given }) => given["name"] === release)?.inputs) as Record<string, unknown>;
      const { chart: name, repositoryOpts } = chartSource(chart);
      expect([inputs["chart"], inputs["version"], inputs["repositoryOpts"]]).toEqual([name, chart.version, repositoryOpts]);
      // In the plan, a value that is known only during the build is in angle brackets.
      const known = JSON.parse(JSON.stringify(values), (_, value) => (typeof value === "string" && /^<.*>$/.test(value) ? expect.any(String) : value));
      expect(inputs["values"]).toEqual(known);
      expect(findDefaultCredentials(inputs["values"])).toEqual([]);
    }
  });

  test("each route has a host of the plan, of that owner, with a certificate for it and a class of the cluster", () => {
    const routes = registered.filter(({ type }) => type === "kubernetes:networking.k8s.io/v1:Ingress").map(manifest);
    const plan = planOf(stack);
    const issuer = only(registered, "kubernetes:cert-manager.io/v1:ClusterIssuer");
    const issuerName = manifest(issuer).metadata?.name;
    const served = routes.map(({ metadata, spec }) => {
      const rules = spec?.["rules"] as { host: string }[];
      const tls = spec?.["tls"] as { hosts: string[]; secretName: string }[];
      expect(metadata?.annotations).toEqual({ "cert-manager.io/cluster-issuer": issuerName });
      expect(tls.flatMap(({ hosts }) => hosts)).toEqual(rules.map(({ host }) => host));
      expect(plan?.cluster.ingressClasses).toContain(spec?.["ingressClassName"]);
      return rules.map(({ host }) => host);
    });
    const ofIstio = registered.filter(({ type }) => type === "kubernetes:networking.istio.io/v1:VirtualService").map(manifest);
    const certificate = registered.find(({ name }) => name === "istio-certificate");
    for (const { spec = {} } of ofIstio) {
      expect(spec["gateways"]).toEqual(["istio-system/default-gateway"]);
      for (const host of spec["hosts"] as string[]) expect(certificate && manifest(certificate).spec?.["dnsNames"]).toContain(host);
      served.push(spec["hosts"] as string[]);
    }
    expect(served.flat().toSorted()).toEqual(plan?.hosts.filter(({ route }) => route === "ingress").map(({ name }) => name));
  });

  test("each workload of ours has requests, a limit of memory, probes, and takes no more rights than it is given", () => {
    const workloads = registered.filter(({ type }) => type.startsWith("kubernetes:apps/v1:"));
    for (const resource of workloads) {
      const { template } = manifest(resource).spec as { template: { spec: Record<string, unknown> } };
      const pod = template.spec;
      expect([label(resource), pod["automountServiceAccountToken"]]).toEqual([label(resource), resource.name in ASKS_THE_API ? undefined : false]);
      expect(pod["securityContext"]).toMatchObject({ seccompProfile: { type: "RuntimeDefault" } });
      for (const container of pod["containers"] as Record<string, unknown>[]) {
        expect(container).toMatchObject({
          image: expect.stringMatching(/^[a-z0-9.-]+\/.+(:(?!latest$)[^:/]+|@sha256:[0-9a-f]{64})$/),
          readinessProbe: expect.any(Object),
          livenessProbe: expect.any(Object),
          resources: { requests: { cpu: expect.any(String), memory: expect.any(String) }, limits: { memory: expect.any(String) } },
          securityContext: { allowPrivilegeEscalation: false },
        });
      }
    }
    const apps = plans.get(stack)?.apps.map(({ name }) => `${name}-deployment`) ?? [];
    const ofModules = planOf(stack)?.modules.flatMap(({ name }) => OF_MODULES[name] ?? []) ?? [];
    expect(workloads.map(({ name }) => name).toSorted()).toEqual([...apps, ...ofModules].toSorted());
  });

  test("External Secrets is there as a whole before anything is asked of it, and so are the values that are asked for", () => {
    const asking = registered.filter(({ type }) => type.endsWith(":ExternalSecret") || type.endsWith(":ClusterSecretStore"));
    expect(asking.length).toBeGreaterThan(1);
    for (const resource of asking) {
      const before = waitsFor(resource, registered);
      expect([...before]).toEqual(expect.arrayContaining(["external-secrets-release", "cluster-access-vault-access-config"]));
      const filled = [...before].some((name) => name.startsWith("vault-entries-"));
      expect(filled).toBe(planOf(stack)?.modules.some(({ name }) => name === "vault-entries"));
    }
  });
});
