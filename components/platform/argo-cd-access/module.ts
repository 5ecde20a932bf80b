import { defineModule } from "../module";
import { ACCESS_NAMESPACE } from "./account";
import { argoCdAccessOptions } from "./options";

export const argoCdAccess = defineModule({
  name: "argo-cd-access",
  summary:
    "an account by which the Argo CD of another stack delivers applications to this cluster: its token is in Vault, and it may write their kinds in their namespaces and nothing else",
  options: argoCdAccessOptions,
  example: { from: "dev" },
  parts: () => ({
    namespaces: [ACCESS_NAMESPACE],
    needs: ["vault"],
    flows: [{ direction: "in", of: "node", peer: "homelab", port: 6443, why: "Argo CD asks and writes by the cluster's API" }],
  }),
  build: () => (require("./argo-cd-access") as typeof import("./argo-cd-access")).buildArgoCdAccess,
});
