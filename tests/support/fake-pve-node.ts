/** The network of a node and the storages of the cluster, for {@link FakePve}. It answers as Proxmox does, without Proxmox' checks. */
type Params = Record<string, string>;
type Entry = Record<string, string | number>;

export class FakeNetwork {
  interfaces: Entry[] = [
    { iface: "eno1", type: "eth", priority: 2, exists: 1, active: 1, method: "manual" },
    { iface: "vmbr0", type: "bridge", priority: 3, active: 1, autostart: 1, cidr: "192.168.1.248/24", gateway: "192.168.1.1", bridge_ports: "eno1" },
  ];
  /** The pending changes that a list of interfaces has beside its data. */
  changes: string | undefined;
  #applied: Entry[] | undefined;

  /** @returns undefined for a call that does not concern the network. A reload starts a task */
  handle(method: string, path: string, params: Params): { data: unknown; changes?: string } | "reload" | undefined {
    const [, name] = /^network(?:\/(.+))?$/.exec(path) ?? [];
    if (!path.startsWith("network")) return undefined;
    if (method === "GET") return { data: this.interfaces, ...(this.changes === undefined ? {} : { changes: this.changes }) };
    if (name === undefined && method === "PUT") {
      this.changes = undefined;
      return "reload";
    }
    if (name === undefined && method === "DELETE") {
      this.interfaces = this.#applied ?? this.interfaces;
      this.changes = undefined;
      return { data: null };
    }
    this.#write(method, name ?? params["iface"] ?? "", params);
    return { data: null };
  }

  #write(method: string, iface: string, { delete: removed = "", bridge_vlan_aware, ...given }: Params): void {
    if (this.changes === undefined) this.#applied = this.interfaces;
    const old = this.interfaces.find((entry) => entry["iface"] === iface);
    const kept = Object.fromEntries(Object.entries(old ?? {}).filter(([key]) => !removed.split(",").includes(key)));
    const aware = bridge_vlan_aware === undefined ? {} : { bridge_vlan_aware: Number(bridge_vlan_aware), bridge_vids: "2-4094" };
    const comments = given["comments"] === undefined ? {} : { comments: `${given["comments"]}\n` };
    const others = this.interfaces.filter((entry) => entry !== old);
    this.interfaces = method === "DELETE" ? others : [...others, { ...kept, ...aware, ...given, ...comments, iface, priority: 9 }];
    this.changes = `--- a\n+++ b\n@@ -1 +1 @@\n+auto ${iface}\n+iface ${iface} inet manual\n`;
  }
}

export class FakeStorages {
  readonly entries = new Map<string, Params>();

  /** @returns undefined for a call that does not concern storages, or the text with which Proxmox refuses it */
  handle(method: string, path: string, params: Params): { data: unknown } | string | undefined {
    const [whole, name] = /^storage(?:\/(.+))?$/.exec(path) ?? [];
    if (whole === undefined) return undefined;
    const { storage = name ?? "", delete: removed = "", ...given } = params;
    const old = this.entries.get(storage);
    if (method === "POST") {
      if (old !== undefined) return `create storage failed: storage ID '${storage}' already defined`;
      this.entries.set(storage, { content: "images,rootdir", ...given });
      return { data: { storage, type: given["type"] } };
    }
    if (old === undefined) return `storage '${storage}' does not exist`;
    if (method === "PUT")
      this.entries.set(storage, { ...Object.fromEntries(Object.entries(old).filter(([key]) => !removed.split(",").includes(key))), ...given });
    if (method === "DELETE") this.entries.delete(storage);
    return { data: method === "GET" ? { ...old, storage, digest: "d" } : null };
  }
}
