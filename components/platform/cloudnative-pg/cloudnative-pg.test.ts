import { builtModule, graphOf, releaseDefaults } from "../../../tests/support/module-build";
import { only } from "../../../tests/support/pulumi-mocks";
import { cloudNativePg } from "./module";

test("it is its pinned charts with their CRDs: the operator, and its plugin of archives after it", async () => {
  const registered = await builtModule(cloudNativePg);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace cloudnative-pg-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release cloudnative-pg-release": "given-cluster after cloudnative-pg-ns-namespace",
    "command:local:Command cloudnative-pg-admission": "given-command after cloudnative-pg-release",
    "kubernetes:helm.sh/v3:Release cloudnative-pg-archives-release":
      "given-cluster after cloudnative-pg-admission, cloudnative-pg-ns-namespace, cloudnative-pg-release",
  });
  expect(only(registered, "kubernetes:helm.sh/v3:Release", "cloudnative-pg-archives-release").inputs).toEqual({
    ...releaseDefaults,
    name: "plugin-barman-cloud",
    namespace: "cnpg-system",
    chart: "plugin-barman-cloud",
    version: "0.7.0",
    repositoryOpts: { repo: "https://cloudnative-pg.github.io/charts" },
    values: { crds: { create: true }, resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "128Mi" } } },
  });
  expect(only(registered, "kubernetes:helm.sh/v3:Release", "cloudnative-pg-release").inputs).toEqual({
    ...releaseDefaults,
    name: "cloudnative-pg",
    namespace: "cnpg-system",
    chart: "cloudnative-pg",
    version: "0.29.0",
    repositoryOpts: { repo: "https://cloudnative-pg.github.io/charts" },
    values: { crds: { create: true }, resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } } },
  });
});
