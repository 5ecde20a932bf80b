import { base, combineRoles, k3sServer, type Role } from "../../ansible-replacements";

export interface K3sNodeArgs {
  /** The node's address. */
  address: string;
  /** Parts of k3s that are left out. Default none. */
  disable?: readonly string[];
  localStoragePath?: string | undefined;
}

/** What the host of a cluster is made into. Here, and not in the cluster, so that it can be looked at without an engine. */
export const k3sNode = ({ address, disable = [], localStoragePath }: K3sNodeArgs): Role =>
  combineRoles("k3s-node", base, k3sServer({ address, disable, localStoragePath }));
