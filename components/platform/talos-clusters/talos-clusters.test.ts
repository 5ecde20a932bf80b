import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain } from "../../../tests/support/pulumi-mocks";
import { talosClusters } from "./module";
import { talosClustersOptions } from "./options";
import { talosCluster } from "./values";

const options = talosClusters.example;
const parsed = talosClustersOptions.parse(options).clusters["testing"];
if (parsed === undefined) throw new Error("the example has no cluster");
const given = parsed;

test("a cluster comes after what it is made of, its workers after it, and all of it is in one namespace", async () => {
  const registered = await builtModule(talosClusters, { options });
  const graph = graphOf(registered);
  const after = (name: string): string => Object.entries(graph).find(([key]) => key.endsWith(` ${name}`))?.[1] ?? "";
  for (const kind of ["ProxmoxMachineTemplate", "TalosConfigTemplate", "ProxmoxCluster", "TalosControlPlane"])
    expect(after("talos-clusters-testing")).toContain(`talos-clusters-${kind}-testing`);
  expect(after("talos-clusters-testing-workers")).toContain("talos-clusters-testing");
  expect(plain(only(registered, "kubernetes:cluster.x-k8s.io/v1beta2:Cluster").inputs)).toMatchObject({
    metadata: { name: "testing", namespace: "clusters", annotations: { "pulumi.com/waitFor": "condition=Available" } },
    spec: {
      clusterNetwork: { pods: { cidrBlocks: ["10.244.0.0/16"] } },
      controlPlaneRef: { apiGroup: "controlplane.cluster.x-k8s.io", kind: "TalosControlPlane", name: "testing-control-plane" },
    },
  });
});

test("a reference names an object that is made: templates, the control plane and the machines' provider", () => {
  const { parts, cluster, workers } = talosCluster("testing", given, "clusters");
  const made = [...parts, cluster, workers].map(({ apiVersion, kind, metadata }) => `${apiVersion.split("/")[0]} ${kind} ${metadata.name}`);
  const references = JSON.stringify([...parts, cluster, workers]).match(/\{"api(Group|Version)":"[^"]+","kind":"[^"]+","name":"[^"]+"[^{}]*\}/g) ?? [];
  expect(references).toHaveLength(5);
  for (const text of references) {
    const { apiGroup, apiVersion, kind, name } = JSON.parse(text) as Record<string, string>;
    expect(made).toContain(`${apiGroup ?? apiVersion?.split("/")[0]} ${kind} ${name}`);
  }
});

test("other machines are another template, since Cluster API changes none; what is the same keeps its name", () => {
  const names = (cluster: typeof given) => talosCluster("testing", cluster, "clusters").parts.map(({ metadata }) => metadata.name);
  const before = names(given);
  expect(names(structuredClone(given))).toEqual(before);
  const more = names({ ...given, workers: { ...given.workers, memoryMiB: 8192 } });
  expect(more.map((name, index) => name === before[index])).toEqual([true, false, true, true, true]);
  expect(names({ ...given, kubernetes: "v1.34.3" })).toEqual(before);
});

test("its addresses are nobody else's: the plan is told of all of them", () => {
  expect(talosClusters.parts(talosClustersOptions.parse(options), {} as never)).toMatchObject({
    cluster: ["cluster-api"],
    addresses: ["192.0.2.50-192.0.2.50", "192.0.2.51-192.0.2.60"],
  });
});
