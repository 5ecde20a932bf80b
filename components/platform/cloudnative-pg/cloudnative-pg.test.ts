import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { cloudNativePg } from "./module";

test("it is its pinned chart with its CRDs", async () => {
  const registered = await builtModule(cloudNativePg);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace cloudnative-pg-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release cloudnative-pg-release": "given-cluster after cloudnative-pg-ns-namespace",
    "command:local:Command cloudnative-pg-admission": "given-command after cloudnative-pg-release",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "cloudnative-pg",
    namespace: "cnpg-system",
    chart: "cloudnative-pg",
    version: "0.29.0",
    repositoryOpts: { repo: "https://cloudnative-pg.github.io/charts" },
    values: { crds: { create: true }, resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "256Mi" } } },
  });
});
