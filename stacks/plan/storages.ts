/** A storage of the nodes that the program makes. */
import { HomelabError } from "../../common/errors";
import type { StorageSpec } from "../../components/hosts/node-spec";
import { definitions, type ProxmoxNode } from "../define/nodes";

export interface MadeStorage {
  spec: StorageSpec;
  /** Names of the nodes that have it. */
  nodes: string[];
}

/**
 * The storages to make, each with the nodes that name it.
 * @throws HomelabError E_STORAGE_TWICE for two definitions of one name
 */
export function madeStorages(nodes: readonly ProxmoxNode[]): MadeStorage[] {
  const made = new Map<string, MadeStorage>();
  for (const node of nodes) {
    for (const spec of new Set(definitions([...node.storages, node.fileStorage]))) {
      const known = made.get(spec.name);
      if (known !== undefined && JSON.stringify(known.spec) !== JSON.stringify(spec))
        throw new HomelabError("E_STORAGE_TWICE", `site/nodes.ts: ${node.name} defines the storage "${spec.name}" differently from ${known.nodes.join(", ")}`, {
          subject: spec.name,
          hint: "a storage is the whole cluster's: use one constant, or two names",
        });
      if (known === undefined) made.set(spec.name, { spec, nodes: [node.name] });
      else if (!known.nodes.includes(node.name)) known.nodes.push(node.name);
    }
  }
  return [...made.values()];
}
