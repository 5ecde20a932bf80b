import { z } from "zod";
import { defineModule, volumeSize } from "../module";
import { VAULT_CHART, vaultValues } from "./values";

const options = z.strictObject({
  /** Default: the environment's. */
  storageClass: z.string().optional(),
  /** Of the volume with the entries. */
  size: volumeSize.default("10Gi"),
  /** Of the volume with the audit log. */
  auditSize: volumeSize.default("10Gi"),
});

export const vault = defineModule({
  name: "vault",
  summary: "keeps the secrets of all stacks: installed, initialised, unsealed, with a policy and a token for each stack",
  charts: { vault: VAULT_CHART },
  options,
  parts: ({ storageClass: own, ...sizes }, { storageClass, ingressClass, vaultAddress }) => ({
    namespaces: ["vault"],
    needs: ["certificates"],
    cluster: ["ingress"],
    storageClasses: [own ?? storageClass],
    ingressClasses: [ingressClass],
    hosts: [{ name: new URL(vaultAddress).hostname, serves: "Vault's API and pages", route: "ingress" }],
    flows: [{ direction: "in", peer: "routes", port: 8200, why: "API and pages" }],
    values: { vault: vaultValues({ storageClass: own ?? storageClass, ...sizes }) },
  }),
});
