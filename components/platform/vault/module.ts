import { defineModule } from "../module";
import { vaultOptions } from "./options";
import { VAULT_CHART, vaultValues } from "./values";

export const vault = defineModule({
  name: "vault",
  summary: "keeps the secrets of all stacks: installed, initialised, unsealed, with a policy and a token for each stack",
  charts: { vault: VAULT_CHART },
  options: vaultOptions,
  parts: ({ storageClass: own, ...sizes }, { storageClass, ingressClass, vaultAddress }) => ({
    namespaces: ["vault"],
    uses: ["certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: new URL(vaultAddress).hostname, serves: "Vault's API and pages", route: "ingress" }],
    flows: [{ direction: "in", peer: "routes", port: 8200, why: "API and pages" }],
    values: { vault: vaultValues({ storageClass: own ?? storageClass, ...sizes }) },
  }),
  build: () => (require("./vault") as typeof import("./vault")).buildVault,
});
