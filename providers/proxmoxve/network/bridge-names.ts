import { HomelabError } from "../../../common/errors";

/** The names in a list of ports, sorted: their order means nothing. */
export const portsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value.map(String) : [])
    .map((port) => port.trim())
    .filter((port) => port !== "")
    .toSorted();

/** `pve1:vmbr0` in its parts. */
export function parseId(id: string): { node: string; name: string } {
  const [node = "", name = "", ...more] = id.split(":");
  if (node === "" || name === "" || more.length > 0)
    throw new HomelabError("E_BRIDGE_ID", `"${id}" is no bridge's id`, { subject: id, hint: "it is the node and the bridge, such as pve1:vmbr0" });
  return { node, name };
}
