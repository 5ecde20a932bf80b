import { defineModule } from "../module";
import { CLOUDFLARE_TOKEN, certManagerOptions } from "./options";
import { CERT_MANAGER_CHART, CERT_MANAGER_NAMESPACE, certManagerValues } from "./values";

export const certManager = defineModule({
  name: "cert-manager",
  summary: "certificates for every host name, by DNS-01 at Cloudflare, so that no port is open to the world",
  charts: { "cert-manager": CERT_MANAGER_CHART },
  options: certManagerOptions,
  provides: ["certificates"],
  crds: [
    "certificaterequests.cert-manager.io",
    "certificates.cert-manager.io",
    "challenges.acme.cert-manager.io",
    "clusterissuers.cert-manager.io",
    "issuers.cert-manager.io",
    "orders.acme.cert-manager.io",
  ],
  parts: ({ nameservers }) => ({
    namespaces: [CERT_MANAGER_NAMESPACE],
    programSecrets: [{ ...CLOUDFLARE_TOKEN, why: "DNS-01 writes a record that the certificate authority reads" }],
    flows: [
      { direction: "out", peer: "cluster", port: 6443, why: "reads issuers and certificates, writes their Secrets" },
      { direction: "out", peer: "https://acme-v02.api.letsencrypt.org", port: 443, why: "orders certificates" },
      { direction: "out", peer: "https://api.cloudflare.com", port: 443, why: "writes the records of DNS-01" },
      ...nameservers.flatMap((nameserver) => {
        const [address = "", port = "53"] = nameserver.split(":");
        return (["UDP", "TCP"] as const).map(
          (protocol) =>
            ({ direction: "out", peer: `${address}/32`, port: Number(port), protocol, why: "looks whether the records of DNS-01 are there" }) as const,
        );
      }),
      { direction: "in", peer: "cluster", port: 10250, why: "the API asks the webhook about each certificate and issuer" },
    ],
    values: { "cert-manager": certManagerValues({ nameservers }) },
  }),
  build: () => (require("./cert-manager") as typeof import("./cert-manager")).buildCertManager,
});
