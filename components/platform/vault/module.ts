import { defineModule } from "../module";
import { vaultOptions } from "./options";
import { VAULT_CHART, VAULT_IMAGE, VAULT_NAMESPACE, vaultValues } from "./values";

export const vault = defineModule({
  name: "vault",
  summary: "keeps the secrets of all stacks: installed, initialised, unsealed, with a policy and a token for each stack",
  charts: { vault: VAULT_CHART },
  images: [VAULT_IMAGE],
  options: vaultOptions,
  exceptions: [
    { rule: "liveness", why: "started again it is sealed: a person has to see why it does not answer" },
    { rule: "capabilities", why: "the chart takes its container's security context as a whole, and the image sets a capability on its program" },
    { rule: "seccomp", why: "as above; the namespace's level is baseline" },
    { rule: "read-only-root", why: "its start writes the configuration with the pod's address" },
  ],
  parts: ({ storageClass: own, ...sizes }, { storageClass, ingressClass, vaultAddress }) => ({
    namespaces: [VAULT_NAMESPACE],
    // The chart drops no capabilities and sets no seccomp profile.
    podSecurity: { [VAULT_NAMESPACE]: "baseline" },
    uses: ["certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: new URL(vaultAddress).hostname, serves: "Vault's API and pages", route: "ingress" }],
    flows: [
      { direction: "in", peer: "routes", port: 8200, why: "API and pages" },
      { direction: "out", peer: "homelab", port: 6443, why: "asks the API of each cluster whether a service account's token is valid" },
    ],
    workloads: [{ name: "vault", cpu: "100m", memory: "256Mi" }],
    volumes: [
      { name: "entries", size: sizes.size },
      { name: "audit log", size: sizes.auditSize },
    ],
    values: { vault: vaultValues({ storageClass: own ?? storageClass, ...sizes }) },
  }),
  build: () => (require("./vault") as typeof import("./vault")).buildVault,
});
