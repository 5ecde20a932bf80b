/**
 * What the module `talos-clusters` asks of Cluster API itself, held against its own definitions in a real API: strict server-side apply.
 * The providers of Talos and Proxmox are no Go modules that can be fetched; their objects are not in here.
 */
import { talosClusters } from "../../components/platform/talos-clusters/module";
import { talosClustersOptions } from "../../components/platform/talos-clusters/options";
import { CLUSTERS_NAMESPACE, talosCluster } from "../../components/platform/talos-clusters/values";
import { addKinds } from "../support/real-kinds";
import { type RealKubernetes, startRealKubernetes } from "../support/real-kubernetes";
import { describeReal, realPartFile } from "../support/real-parts";

const BASES = "core/config/crd/bases";
const KINDS = ["clusters", "machinedeployments"] as const;

describeReal(["kube-apiserver", "etcd", "cluster-api"], "objects of Cluster API", (pathOf) => {
  let api: RealKubernetes;
  beforeAll(async () => {
    api = await startRealKubernetes({ apiserver: pathOf("kube-apiserver"), etcd: pathOf("etcd") });
    for (const kind of KINDS) await addKinds(api, realPartFile("cluster-api", `${BASES}/cluster.x-k8s.io_${kind}.yaml`));
    await api.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: CLUSTERS_NAMESPACE } });
  });
  afterAll(() => api.stop());

  const apply = (plural: (typeof KINDS)[number], object: { apiVersion: string; metadata: { name: string } }) =>
    api.call(
      "PATCH",
      `/apis/${object.apiVersion}/namespaces/${CLUSTERS_NAMESPACE}/${plural}/${object.metadata.name}?fieldManager=homelab&force=true&fieldValidation=Strict`,
      object,
      { contentType: "application/apply-patch+yaml" },
    );
  const given = talosClustersOptions.parse(talosClusters.example).clusters["testing"];
  if (given === undefined) throw new Error("the example has no cluster");
  const { cluster, workers } = talosCluster("testing", given, CLUSTERS_NAMESPACE);

  test("a cluster and its workers are taken, and a second time change nothing", async () => {
    const first = [await apply("clusters", cluster), await apply("machinedeployments", workers)];
    const second = [await apply("clusters", cluster), await apply("machinedeployments", workers)];
    expect(first).toMatchObject([{ spec: cluster.spec }, { spec: workers.spec }]);
    expect(second).toEqual(first);
  });

  test("a field that its kind does not have, and one of another type, are refused", async () => {
    const unknown = { ...cluster, spec: { ...cluster.spec, controlPlane: {} } };
    await expect(apply("clusters", unknown)).rejects.toThrow(".spec.controlPlane");
    const mistyped = { ...workers, spec: { ...workers.spec, replicas: "two" } };
    await expect(apply("machinedeployments", mistyped)).rejects.toThrow("spec.replicas");
  });
});
