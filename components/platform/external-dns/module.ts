import { CLOUDFLARE_TOKEN } from "../cert-manager/options";
import { defineModule } from "../module";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "../namespace-grants";
import { externalDnsOptions } from "./options";
import { publicInstances } from "./public-names";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "./values";

export const externalDns = defineModule({
  name: "external-dns",
  summary: "writes the names of the cluster's routes to Pi-hole, and deletes them when their route is gone; to public DNS go those alone that are named",
  charts: { "external-dns": EXTERNAL_DNS_CHART },
  options: externalDnsOptions,
  provides: ["dns-records"],
  exceptions: [{ rule: "liveness-apart", why: "it answers whatever becomes of Pi-hole and of the API" }],
  parts: ({ formerNames, ...options }, place) => {
    const { domain, hostNames, piholeUrl, routes } = place;
    const instances = publicInstances(options, place);
    return {
      charts: Object.fromEntries([...instances.keys()].map((release) => [release, EXTERNAL_DNS_CHART])),
      namespaces: [EXTERNAL_DNS.namespace],
      needs: ["external-secrets", "cluster-access"],
      after: routes.kind === "istio" ? ["istio"] : [],
      namespaceSecrets: [{ namespace: EXTERNAL_DNS.namespace, wanted: [EXTERNAL_DNS.password] }],
      flows: [
        { direction: "out", peer: "cluster", port: 6443, why: "reads the routes" },
        { direction: "out", peer: piholeUrl, port: Number(new URL(piholeUrl).port || (piholeUrl.startsWith("https:") ? 443 : 80)), why: "writes records" },
        ...(instances.size === 0 ? [] : [{ direction: "out" as const, peer: "https://api.cloudflare.com", port: 443, why: "writes records of public names" }]),
      ],
      programSecrets: instances.size === 0 ? [] : [{ ...CLOUDFLARE_TOKEN, why: "writes records of public names" }],
      workloads: ["external-dns", ...instances.keys()].map((one) => ({ name: one, cpu: "10m", memory: "32Mi" })),
      values: {
        "external-dns": externalDnsValues({
          piholeUrl,
          istio: routes.kind === "istio",
          names: [...hostNames, ...formerNames.map((name) => `${name}.${domain}`)],
          password: { secret: EXTERNAL_DNS.password.name, key: PIHOLE_PASSWORD_KEY },
        }),
        ...Object.fromEntries(instances),
      },
    };
  },
  build: () => (require("./external-dns") as typeof import("./external-dns")).buildExternalDns,
});
