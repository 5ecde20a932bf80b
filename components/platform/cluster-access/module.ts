import { defineModule, noOptions } from "../module";
import { VAULT_ACCESS_NAMESPACE } from "../namespace-grants";

export const clusterAccess = defineModule({
  name: "cluster-access",
  summary: "the cluster's kubeconfig and the environment's own values in Vault, and a way for the cluster's service accounts to log in there",
  options: noOptions,
  parts: (_, { vaultAddress }) => ({
    namespaces: [VAULT_ACCESS_NAMESPACE],
    needs: ["vault"],
    // The entries exist before the first service account can log in.
    after: ["vault-entries"],
    flows: [{ direction: "in", of: "node", peer: vaultAddress, port: 6443, why: "Vault asks the cluster's API whether a service account's token is valid" }],
  }),
  build: () => (require("./cluster-access") as typeof import("./cluster-access")).buildClusterAccess,
});
