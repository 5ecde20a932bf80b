import { builtModule, graphOf, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { prometheusOperatorCrds } from "./module";

test("it is its pinned chart in a namespace of its own, and owns the kinds by which others are measured", async () => {
  const registered = await builtModule(prometheusOperatorCrds);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace prometheus-operator-crds-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release prometheus-operator-crds-release": "given-cluster after prometheus-operator-crds-ns-namespace",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "prometheus-operator-crds",
    namespace: "prometheus-operator-crds",
    chart: "prometheus-operator-crds",
    version: "31.0.1",
    repositoryOpts: { repo: "https://prometheus-community.github.io/helm-charts" },
    values: {},
  });
  expect(prometheusOperatorCrds.crds).toContain("servicemonitors.monitoring.coreos.com");
  expect(prometheusOperatorCrds.parts({}, PLACE).needs).toEqual([]);
});
