import { OWN_AUTHORITY } from "../../../common/vault-layout";
import { defineModule, type Flow, type ModuleParts } from "../module";
import { LETSENCRYPT } from "./issuers";
import { CLOUDFLARE_TOKEN, certManagerOptions } from "./options";
import { CERT_MANAGER_CHART, CERT_MANAGER_NAMESPACE, certManagerValues } from "./values";

/** Flows with every issuer. */
const FLOWS: readonly Flow[] = [
  { direction: "out", peer: "cluster", port: 6443, why: "reads issuers and certificates, writes their Secrets" },
  { direction: "in", peer: "cluster", port: 10250, why: "the API asks the webhook about each certificate and issuer" },
];

/** What the homelab's own authority needs. */
const OWN: Partial<ModuleParts> = {
  programSecrets: [OWN_AUTHORITY.certificate, OWN_AUTHORITY.key].map((key) => ({ path: OWN_AUTHORITY.path, key, why: "signs the certificates of all routes" })),
  flows: FLOWS,
  values: { "cert-manager": certManagerValues({ nameservers: [] }) },
};

/** What Let's Encrypt needs. */
const proved = (nameservers: readonly string[], by: keyof typeof LETSENCRYPT): Partial<ModuleParts> => ({
  programSecrets: [{ ...CLOUDFLARE_TOKEN, why: "DNS-01 writes a record that the certificate authority reads" }],
  flows: [
    ...FLOWS,
    { direction: "out", peer: LETSENCRYPT[by].origin, port: 443, why: "orders certificates" },
    { direction: "out", peer: "https://api.cloudflare.com", port: 443, why: "writes the records of DNS-01" },
    ...nameservers.flatMap((nameserver) => {
      const [address = "", port = "53"] = nameserver.split(":");
      return (["UDP", "TCP"] as const).map(
        (protocol): Flow => ({ direction: "out", peer: `${address}/32`, port: Number(port), protocol, why: "looks whether the records of DNS-01 are there" }),
      );
    }),
  ],
  values: { "cert-manager": certManagerValues({ nameservers }) },
});

export const certManager = defineModule({
  name: "cert-manager",
  summary: "certificates for every host name, of Let's Encrypt by DNS-01 at Cloudflare or of an authority of one's own; no port is open to the world for them",
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
  exceptions: [
    { rule: "readiness", workload: "cert-manager", why: "the chart has none: nobody asks it anything" },
    { rule: "readiness", workload: "cert-manager-cainjector", why: "the chart has no probes of it: nobody asks it anything" },
    { rule: "liveness", workload: "cert-manager-cainjector", why: "the chart has no probes of it; it ends by itself when it loses its lead" },
  ],
  parts: ({ issuer, nameservers }) => ({
    namespaces: [CERT_MANAGER_NAMESPACE],
    ...(issuer === "own-authority" ? OWN : proved(nameservers, issuer)),
    workloads: [{ name: "controller", cpu: "10m", memory: "64Mi" }, { name: "webhook" }, { name: "cainjector" }],
  }),
  build: () => (require("./cert-manager") as typeof import("./cert-manager")).buildCertManager,
});
