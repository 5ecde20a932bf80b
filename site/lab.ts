/** What the lab models of this homelab's machines, beside site/nodes.ts. */
import { defineLab } from "../stacks/define/lab";

export const lab = defineLab({
  cluster: "homelab",
  nodes: {
    node01: {
      ...{ cores: 4, sockets: 1, cpu: "Intel(R) Core(TM) i7-4710HQ CPU @ 2.50GHz", ports: ["eno1"], rootGiB: 94 },
      bridges: [{ name: "vmbr0", ports: ["eno1"], cidr: "192.168.1.248/24", gateway: "192.168.1.1" }],
      thinPools: [
        { place: "pve/data", totalGiB: 350 },
        { place: "slowdata/slowdata", totalGiB: 900 },
      ],
    },
    node02: {
      ...{ cores: 4, sockets: 1, cpu: "Intel(R) Core(TM) i7-7700T CPU @ 2.90GHz", ports: ["eno1"], rootGiB: 94 },
      bridges: [{ name: "vmbr0", ports: ["eno1"], cidr: "192.168.1.249/24", gateway: "192.168.1.1" }],
      thinPools: [{ place: "pve/data", totalGiB: 800 }],
    },
    node03: {
      ...{ cores: 36, sockets: 2, cpu: "Intel(R) Xeon(R) CPU E5-2699 v3 @ 2.30GHz", ports: ["eno1", "eno2"], rootGiB: 94 },
      bridges: [{ name: "vmbr0", ports: ["eno1"], cidr: "192.168.1.250/24", gateway: "192.168.1.1" }],
      thinPools: [
        { place: "pve/data", totalGiB: 1700 },
        { place: "data2/data2", totalGiB: 1800 },
      ],
    },
  },
  // On a fresh Proxmox, the content type `import` has to be switched on by hand.
  storages: [
    { storage: "local", type: "dir", options: { path: "/var/lib/vz", content: "backup,import,iso,vztmpl" } },
    { storage: "local-lvm", type: "lvmthin", options: { vgname: "pve", thinpool: "data", content: "rootdir,images" } },
    { storage: "slowdata", type: "lvmthin", options: { vgname: "slowdata", thinpool: "slowdata", content: "images,rootdir", nodes: "node01" } },
    { storage: "data2", type: "lvmthin", options: { vgname: "data2", thinpool: "data2", content: "images,rootdir", nodes: "node03" } },
  ],
});
