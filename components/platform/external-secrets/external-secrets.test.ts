import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { externalSecrets } from "./module";

test("it is its pinned chart with its CRDs", async () => {
  const registered = await builtModule(externalSecrets);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace external-secrets-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release external-secrets-release": "given-cluster after external-secrets-ns-namespace",
    "command:local:Command external-secrets-admission": "given-command after external-secrets-release",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "external-secrets",
    namespace: "external-secrets",
    chart: "external-secrets",
    version: "0.12.1",
    repositoryOpts: { repo: "https://charts.external-secrets.io" },
    values: { installCRDs: true, resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } } },
  });
});
