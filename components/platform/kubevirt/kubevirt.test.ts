import { builtModule, graphOf } from "../../../tests/support/module-build";
import { only, plain, type Registered } from "../../../tests/support/pulumi-mocks";
import { cdi } from "../cdi/module";
import { kubevirt } from "./module";

const objectOf = (registered: readonly Registered[], type: string) => plain(only(registered, type).inputs) as Record<string, unknown>;

test("KubeVirt: its operator first, what it makes after it, and the other way round when it goes", async () => {
  const registered = await builtModule(kubevirt, { place: { domain: "example.org" } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace kubevirt-ns-namespace": "given-cluster",
    "command:local:Command kubevirt-operator-manifest": "given-command after kubevirt-ns-namespace",
    "kubernetes:kubevirt.io/v1:KubeVirt kubevirt-kubevirt": "given-cluster after kubevirt-ns-namespace, kubevirt-operator-manifest",
    "kubernetes:core/v1:Service kubevirt-export": "given-cluster after kubevirt-kubevirt, kubevirt-ns-namespace",
  });
  expect(objectOf(registered, "kubernetes:kubevirt.io/v1:KubeVirt")).toMatchObject({
    metadata: { name: "kubevirt", annotations: { "pulumi.com/waitFor": "condition=Available" } },
    spec: {
      uninstallStrategy: "BlockUninstallIfWorkloadsExist",
      infra: { replicas: 1 },
      configuration: { developerConfiguration: { featureGates: ["Snapshot", "VMExport"] } },
    },
  });
  expect(objectOf(registered, "kubernetes:core/v1:Namespace")).toMatchObject({ metadata: { name: "kubevirt", labels: { "kubevirt.io": "" } } });
  expect(objectOf(registered, "kubernetes:core/v1:Service")).toMatchObject({
    metadata: { annotations: { "external-dns.alpha.kubernetes.io/hostname": "kubevirt-exportproxy.example.org" } },
    spec: { type: "LoadBalancer", ports: [{ port: 8444, targetPort: 8443 }] },
  });
});

test("KubeVirt runs machines in software where it is told to", async () => {
  const registered = await builtModule(kubevirt, { options: { emulation: true } });
  expect(objectOf(registered, "kubernetes:kubevirt.io/v1:KubeVirt")).toMatchObject({
    spec: { configuration: { developerConfiguration: { useEmulation: true } } },
  });
});

test("CDI: the same order, and it knows what Longhorn's file systems take where there is Longhorn", async () => {
  const registered = await builtModule(cdi, { place: { kinds: ["volumes.longhorn.io"] } });
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace cdi-ns-namespace": "given-cluster",
    "command:local:Command cdi-operator-manifest": "given-command after cdi-ns-namespace",
    "kubernetes:cdi.kubevirt.io/v1beta1:CDI cdi-cdi": "given-cluster after cdi-operator-manifest",
    "kubernetes:core/v1:Service cdi-upload": "given-cluster after cdi-cdi, cdi-ns-namespace",
  });
  const { spec } = objectOf(registered, "kubernetes:cdi.kubevirt.io/v1beta1:CDI") as { spec: { config: object; uninstallStrategy: string } };
  expect(spec).toMatchObject({
    uninstallStrategy: "BlockUninstallIfWorkloadsExist",
    config: {
      featureGates: ["HonorWaitForFirstConsumer"],
      filesystemOverhead: { global: "0.055", storageClass: { longhorn: "0.055" } },
      uploadProxyURLOverride: "https://cdi-uploadproxy.example.org:8443",
    },
  });
  const without = await builtModule(cdi);
  expect(objectOf(without, "kubernetes:cdi.kubevirt.io/v1beta1:CDI")).toMatchObject({ spec: { config: { filesystemOverhead: { global: "0.055" } } } });
});
