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
    version: "2.9.0",
    repositoryOpts: { repo: "https://charts.external-secrets.io" },
    values: {
      installCRDs: true,
      livenessProbe: { enabled: true },
      readinessProbe: { enabled: true },
      webhook: { livenessProbe: { enabled: true } },
      certController: { livenessProbe: { enabled: true } },
      resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    },
  });
});
