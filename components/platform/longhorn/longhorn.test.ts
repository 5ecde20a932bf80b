import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { only } from "../../../tests/support/pulumi-mocks";
import { longhorn } from "./module";
import { LONGHORN_STEPS } from "./options";

test("it is its pinned chart, and goes only where it holds no volume, with its confirmation", async () => {
  const registered = await builtModule(longhorn);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace longhorn-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release longhorn-release": "given-cluster after longhorn-ns-namespace",
    // What depends on the release is deleted before it.
    "command:local:Command longhorn-removal": "given-command after longhorn-release",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    timeout: 1200,
    name: "longhorn",
    namespace: "longhorn-system",
    chart: "longhorn",
    version: "1.12.1",
    repositoryOpts: { repo: "https://charts.longhorn.io" },
    values: {
      persistence: { defaultClass: false, defaultClassReplicaCount: 1 },
      defaultSettings: { defaultReplicaCount: 1, upgradeChecker: false, allowCollectingLonghornUsageMetrics: false },
      csi: { attacherReplicaCount: 1, provisionerReplicaCount: 1, resizerReplicaCount: 1, snapshotterReplicaCount: 1 },
      preUpgradeChecker: { jobEnabled: true, upgradeVersionCheck: true },
      longhornManager: { resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } } },
      longhornUI: { replicas: 1 },
      ingress: { enabled: false },
    },
  });
  const { inputs } = only(registered, "command:local:Command");
  expect(inputs["delete"]).toBe("node bin/components/base/cluster-task.main.js remove");
  const task = JSON.stringify(inputs["stdin"]);
  for (const part of ["Volume", "deleting-confirmation-flag"]) expect(task).toContain(part);
});

test("its class is there for those who ask for it, and each step to the newest version is a minor one", () => {
  const parts = longhorn.parts(longhorn.options.parse({}), PLACE);
  expect(parts.offers.storageClasses).toEqual(["longhorn"]);
  const minors = LONGHORN_STEPS.map((version) => Number(version.split(".")[1]));
  expect(minors).toEqual(minors.map((_, index) => (minors[0] ?? 0) + index));
  expect(LONGHORN_STEPS.map((version) => longhorn.parts(longhorn.options.parse({ version }), PLACE).charts["longhorn"]?.version)).toEqual([...LONGHORN_STEPS]);
  expect(longhorn.options.safeParse({ version: "1.10.0" }).success).toBe(false);
});

test.each([
  ["1.9.2", undefined],
  ["1.10.2", undefined],
  ["1.11.3", { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "1Gi" } }],
])("the chart %s gets no value that it does not know", async (version, resources) => {
  const { values } = releaseOf(await builtModule(longhorn, { options: { version } })) as { values: { longhornManager?: { resources: object } } };
  expect(values.longhornManager?.resources).toEqual(resources);
});
