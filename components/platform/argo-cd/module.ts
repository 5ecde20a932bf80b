import { defineModule } from "../module";
import { routeClasses } from "../place";
import { argoCdOptions } from "./options";
import { ARGO_CD_CHARTS, ARGO_CD_NAMESPACE, ARGO_CD_RELEASE, argoCdHost, argoCdSecrets, argoCdValues, clusterSecret } from "./values";

export const argoCd = defineModule({
  name: "argo-cd",
  summary: "Argo CD: applications as Git has them, at <environment>.argocd.<domain>",
  charts: { [ARGO_CD_RELEASE]: ARGO_CD_CHARTS["10.1.1"] },
  options: argoCdOptions,
  crds: ["applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io"],
  exceptions: [
    { rule: "liveness-apart", workload: "argocd-server", why: "it answers whatever becomes of its cache and of Git" },
    { rule: "liveness", workload: "argocd-application-controller", why: "the chart has none: started again it would compare everything anew" },
  ],
  parts: (options, place) => {
    const host = argoCdHost(options, place);
    return {
      charts: { [ARGO_CD_RELEASE]: ARGO_CD_CHARTS[options.version] },
      namespaces: [ARGO_CD_NAMESPACE],
      needs: ["external-secrets", "cluster-access"],
      cluster: ["ingress"],
      ingressClasses: routeClasses(place),
      hosts: [{ name: host, serves: "Argo CD", route: "ingress" }],
      namespaceSecrets: [{ namespace: ARGO_CD_NAMESPACE, wanted: [...argoCdSecrets(options), ...place.deliversTo.map(clusterSecret)] }],
      flows: [
        { direction: "in", peer: "routes", port: 8080, why: "UI and API" },
        { direction: "in", peer: ARGO_CD_NAMESPACE, port: 6379, why: "its parts and their cache" },
        { direction: "in", peer: ARGO_CD_NAMESPACE, port: 8081, why: "manifests, which its repository server renders" },
        { direction: "out", peer: "cluster", port: 6443, why: "compares and applies what is in Git" },
        { direction: "out", peer: options.applications?.repository ?? "https://github.com", port: 443, why: "reads repositories" },
        ...place.deliversTo.map(({ stack, server }) => ({
          direction: "out" as const,
          peer: server,
          port: 6443,
          why: `compares and applies what Git has for ${stack}`,
        })),
      ],
      workloads: [
        { name: "server", cpu: "100m", memory: "128Mi" },
        { name: "repo-server", cpu: "100m", memory: "128Mi" },
        { name: "application-controller", cpu: "250m", memory: "256Mi" },
        { name: "applicationset-controller", cpu: "50m", memory: "64Mi" },
        { name: "notifications-controller", cpu: "50m", memory: "64Mi" },
        { name: "redis", cpu: "10m", memory: "32Mi" },
      ],
      values: { [ARGO_CD_RELEASE]: argoCdValues({ ...options, host, elsewhere: place.deliversTo.length > 0 }) },
    };
  },
  build: () => (require("./argo-cd") as typeof import("./argo-cd")).buildArgoCd,
});
