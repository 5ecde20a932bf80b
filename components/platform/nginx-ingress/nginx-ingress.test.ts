import { builtModule, PLACE, releaseDefaults, releaseOf } from "../../../tests/support/module-build";
import { nginxIngress } from "./module";

test("it is F5's chart, without snippets and kinds of its own, and serves its class beside another one", async () => {
  expect(releaseOf(await builtModule(nginxIngress))).toEqual({
    ...releaseDefaults,
    name: "nginx-ingress",
    namespace: "nginx-ingress",
    chart: "nginx-ingress",
    version: "2.6.4",
    repositoryOpts: { repo: "https://helm.nginx.com/stable" },
    skipCrds: true,
    values: {
      controller: {
        ingressClass: { name: "nginx", create: true, setAsDefaultIngress: false },
        enableCustomResources: false,
        enableSnippets: false,
        readOnlyRootFilesystem: true,
        service: { type: "LoadBalancer", externalTrafficPolicy: "Local" },
        telemetryReporting: { enable: false },
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } },
        initContainerResources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
      },
      prometheus: { create: false },
    },
  });
  const parts = nginxIngress.parts({}, PLACE);
  expect([nginxIngress.brings, parts.offers.ingressClasses, parts.routePorts, parts.cluster]).toEqual([["ingress"], ["nginx"], [80, 443], ["load-balancer"]]);
});
