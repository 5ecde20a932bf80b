/**
 * The objects that the charts of all stacks render from the modules' values, as far as the lab's stand-ins render them. Their resource
 * requests are those that the module declares, and pods fit the security level of their namespace. Exceptions are listed here, with reasons.
 */
import { findChart, renderChart } from "../../lab/artefacts/charts";
import { loadEstate } from "../../stacks/load/estate";
import { CONTAINER_DEFAULTS } from "../../stacks/plan/namespaces";
import { planEstate } from "../../stacks/plan/plan";
import { mebibytes, milliCpu } from "../../stacks/plan/requests";

interface Container {
  name: string;
  image: string;
  resources?: { requests?: { cpu?: string; memory?: string } };
  securityContext?: Record<string, unknown>;
}
interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  securityContext?: Record<string, unknown>;
  hostNetwork?: boolean;
  volumes?: { hostPath?: object }[];
}
interface Workload {
  kind: string;
  metadata: { name: string };
  spec: { replicas?: number; template: { spec: PodSpec } };
}

const KINDS = ["Deployment", "StatefulSet", "DaemonSet"];
/** Kinds of which the Prometheus operator makes pods. It chooses their images itself. */
const OPERATED = ["Prometheus", "Alertmanager"];

function workloadsOf(manifest: Record<string, unknown>): Workload[] {
  if (KINDS.includes(String(manifest["kind"]))) return [manifest as unknown as Workload];
  if (!OPERATED.includes(String(manifest["kind"]))) return [];
  const { metadata, spec } = manifest as unknown as { metadata: { name: string }; spec: Container & { replicas?: number } };
  const pod: PodSpec = { containers: [{ name: "operated", image: "operated:1", ...(spec.resources === undefined ? {} : { resources: spec.resources }) }] };
  return [{ kind: "Operated", metadata, spec: { replicas: spec.replicas ?? 1, template: { spec: pod } } }];
}

/** The namespace of releases that are not in the first namespace of their module. */
const ELSEWHERE: Readonly<Record<string, string>> = { "istio-cni": "istio-cni" };

/** Each module once, with the options of one stack that has it. */
const modules = [
  ...new Map(
    [...planEstate(loadEstate()).values()].flatMap(({ platform }) => platform.modules.map((module) => [module.name, { module, platform }] as const)),
  ).values(),
];

const rendered = modules
  .map(({ module, platform }) => ({
    name: module.name,
    module,
    workloads: Object.entries(module.charts).flatMap(([release, { repository, name, version }]) => {
      const namespace = ELSEWHERE[release] ?? module.parts.namespaces[0] ?? "";
      const chart = findChart(repository, name, version);
      if (chart === undefined) throw new Error(`the lab has no stand-in for ${name} ${version}`);
      const { manifests } = renderChart(chart, {
        name: release,
        namespace,
        values: { ...module.parts.values[release] },
        kubeVersion: platform.cluster.version,
      });
      const level = platform.namespaces.get(namespace)?.podSecurity;
      return manifests.flatMap(workloadsOf).map((workload) => ({ ...workload, level }));
    }),
  }))
  .filter(({ workloads }) => workloads.length > 0);

interface Sum {
  pods: number;
  cpu: number;
  memoryMiB: number;
}
const added = (amounts: readonly Sum[]): Sum =>
  amounts.reduce((all, one) => ({ pods: all.pods + one.pods, cpu: all.cpu + one.cpu, memoryMiB: all.memoryMiB + one.memoryMiB }), {
    pods: 0,
    cpu: 0,
    memoryMiB: 0,
  });

test.each(rendered)("$name requests what it declares", ({ module, workloads }) => {
  const asked = workloads.map(({ spec: { replicas = 1, template } }) => {
    const each = template.spec.containers.map(({ resources }) => ({
      pods: 0,
      cpu: milliCpu(resources?.requests?.cpu ?? CONTAINER_DEFAULTS.cpu),
      memoryMiB: mebibytes(resources?.requests?.memory ?? CONTAINER_DEFAULTS.memory),
    }));
    const { cpu, memoryMiB } = added(each);
    return { pods: replicas, cpu: replicas * cpu, memoryMiB: replicas * memoryMiB };
  });
  const declared = module.parts.workloads
    .filter(({ onDemand }) => onDemand !== true)
    .map(({ replicas = 1, cpu = CONTAINER_DEFAULTS.cpu, memory = CONTAINER_DEFAULTS.memory }) => ({
      pods: replicas,
      cpu: replicas * milliCpu(cpu),
      memoryMiB: replicas * mebibytes(memory),
    }));
  expect(added(declared)).toEqual(added(asked));
});

/** Why a namespace of the level `restricted` would refuse the pods of a workload. */
function refusals({ spec: { template }, metadata }: Workload): string[] {
  const { containers, initContainers = [], securityContext = {}, hostNetwork, volumes = [] } = template.spec;
  const pod = [...(hostNetwork === true ? ["the host's network"] : []), ...(volumes.some(({ hostPath }) => hostPath !== undefined) ? ["a host's path"] : [])];
  return [
    ...pod.map((what) => `${metadata.name}: ${what}`),
    ...[...initContainers, ...containers].flatMap(({ name, securityContext: own = {} }) => {
      const all: Record<string, unknown> = { ...securityContext, ...own };
      const capabilities = all["capabilities"] as { drop?: string[]; add?: string[] } | undefined;
      return [
        ...(all["runAsNonRoot"] === true ? [] : ["runAsNonRoot"]),
        ...((all["seccompProfile"] as { type?: string } | undefined)?.type === "RuntimeDefault" ? [] : ["seccompProfile"]),
        ...(all["allowPrivilegeEscalation"] === false ? [] : ["allowPrivilegeEscalation"]),
        ...(capabilities?.drop?.includes("ALL") === true && (capabilities.add ?? []).every((added) => added === "NET_BIND_SERVICE") ? [] : ["capabilities"]),
      ].map((what) => `${metadata.name} ${name}: ${what}`);
    }),
  ];
}

/** Stand-ins that leave out what this test looks at, and what. */
const SIMPLER: Readonly<Record<string, string>> = { "cert-manager": "the stand-in leaves out what the chart says of its containers' rights" };

const isRestricted = ({ level }: { level?: string | undefined }): boolean => level === "restricted";
test.each(rendered.filter(({ workloads, name }) => workloads.some(isRestricted) && !(name in SIMPLER)))(
  "the pods of $name may run in their namespace",
  ({ workloads }) => {
    expect(workloads.filter(isRestricted).flatMap(refusals)).toEqual([]);
  },
);

/** The image of Istio's gateway in its chart. istiod's webhook replaces it by the image of its own version. */
const FILLED_IN = "auto";

test.each(rendered)("$name takes each image at a version", ({ workloads }) => {
  const images = workloads.flatMap(({ spec: { template } }) =>
    [...(template.spec.initContainers ?? []), ...template.spec.containers].map(({ image }) => image),
  );
  expect(images.filter((image) => image !== FILLED_IN && !/[:@](?!latest$)[^/:@]+$/.test(image))).toEqual([]);
});
