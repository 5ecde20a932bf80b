import { builtModule, graphOf, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { metricsServer } from "./module";

test("it is its pinned chart with a certificate that Kubernetes checks", async () => {
  const registered = await builtModule(metricsServer);
  expect(graphOf(registered)).toEqual({
    "kubernetes:core/v1:Namespace metrics-server-ns-namespace": "given-cluster",
    "kubernetes:helm.sh/v3:Release metrics-server-release": "given-cluster after metrics-server-ns-namespace",
  });
  expect(releaseOf(registered)).toEqual({
    ...releaseDefaults,
    name: "metrics-server",
    namespace: "metrics-server",
    chart: "metrics-server",
    version: "3.13.1",
    repositoryOpts: { repo: "https://kubernetes-sigs.github.io/metrics-server" },
    values: {
      args: ["--kubelet-insecure-tls"],
      tls: { type: "cert-manager" },
      apiService: { insecureSkipTLSVerify: false },
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    },
  });
  expect(metricsServer.brings).toEqual(["metrics"]);
});

test("where the cluster signs the kubelets' certificates, they are checked", async () => {
  expect(releaseOf(await builtModule(metricsServer, { options: { kubeletTls: "cluster" } }))["values"]).toMatchObject({ args: [] });
});
