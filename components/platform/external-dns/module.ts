import { z } from "zod";
import { defineModule } from "../module";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "../namespace-grants";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "./values";

const options = z.strictObject({
  /**
   * Names, without the domain, whose routes were taken away. Pi-hole keeps no owners of records, so that a name must be listed for
   * its record to be deleted.
   */
  formerNames: z.array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, "must be a name without the domain, such as dev.ascii")).default([]),
});

export const externalDns = defineModule({
  name: "external-dns",
  summary: "writes the names of the cluster's routes to Pi-hole, and deletes them when their route is gone; nothing goes to public DNS",
  charts: { "external-dns": EXTERNAL_DNS_CHART },
  options,
  provides: ["dns-records"],
  parts: ({ formerNames }, { domain, hostNames, piholeUrl }) => ({
    namespaces: [EXTERNAL_DNS.namespace],
    needs: ["external-secrets", "cluster-access"],
    namespaceSecrets: [{ namespace: EXTERNAL_DNS.namespace, wanted: [EXTERNAL_DNS.password] }],
    flows: [{ direction: "out", peer: piholeUrl, port: Number(new URL(piholeUrl).port || (piholeUrl.startsWith("https:") ? 443 : 80)), why: "writes records" }],
    values: {
      "external-dns": externalDnsValues({
        piholeUrl,
        names: [...hostNames, ...formerNames.map((name) => `${name}.${domain}`)],
        password: { secret: EXTERNAL_DNS.password.name, key: PIHOLE_PASSWORD_KEY },
      }),
    },
  }),
});
