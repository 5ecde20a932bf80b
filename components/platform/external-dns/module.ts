import { defineModule } from "../module";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "../namespace-grants";
import { externalDnsOptions } from "./options";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "./values";

export const externalDns = defineModule({
  name: "external-dns",
  summary: "writes the names of the cluster's routes to Pi-hole, and deletes them when their route is gone; nothing goes to public DNS",
  charts: { "external-dns": EXTERNAL_DNS_CHART },
  options: externalDnsOptions,
  provides: ["dns-records"],
  exceptions: [{ rule: "liveness-apart", why: "it answers whatever becomes of Pi-hole and of the API" }],
  parts: ({ formerNames }, { domain, hostNames, piholeUrl, routes }) => ({
    namespaces: [EXTERNAL_DNS.namespace],
    needs: ["external-secrets", "cluster-access"],
    after: routes.kind === "istio" ? ["istio"] : [],
    namespaceSecrets: [{ namespace: EXTERNAL_DNS.namespace, wanted: [EXTERNAL_DNS.password] }],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads the routes" },
      { direction: "out", peer: piholeUrl, port: Number(new URL(piholeUrl).port || (piholeUrl.startsWith("https:") ? 443 : 80)), why: "writes records" },
    ],
    workloads: [{ name: "external-dns", cpu: "10m", memory: "32Mi" }],
    values: {
      "external-dns": externalDnsValues({
        piholeUrl,
        istio: routes.kind === "istio",
        names: [...hostNames, ...formerNames.map((name) => `${name}.${domain}`)],
        password: { secret: EXTERNAL_DNS.password.name, key: PIHOLE_PASSWORD_KEY },
      }),
    },
  }),
  build: () => (require("./external-dns") as typeof import("./external-dns")).buildExternalDns,
});
