/** A homelab for tests of the lab: three nodes, the last one with a second network port. */
import type { LabSite } from "../../common/lab-site";

const node = (name: string, address: string, hardware: Pick<LabSite["nodes"][number], "cores" | "sockets" | "cpu" | "memoryMiB" | "ports" | "thinPools">) => ({
  name,
  rootGiB: 94,
  bridges: [{ name: "vmbr0", ports: ["eno1"], cidr: `${address}/24`, gateway: "192.168.1.1" }],
  ...hardware,
});

export const LAB_SITE: LabSite = {
  version: 1,
  domain: "fullstack.pw",
  networks: ["192.168.1.0/24"],
  proxmox: { address: "192.168.1.248", port: 8006, names: ["node01.fullstack.pw"], cluster: "homelab", nameserver: "192.168.1.3" },
  nodes: [
    node("node01", "192.168.1.248", {
      ...{ cores: 4, sockets: 1, cpu: "Intel(R) Core(TM) i7-4710HQ CPU @ 2.50GHz", memoryMiB: 16_384, ports: ["eno1"] },
      thinPools: [
        { place: "pve/data", totalGiB: 350 },
        { place: "slowdata/slowdata", totalGiB: 900 },
      ],
    }),
    node("node02", "192.168.1.249", {
      ...{ cores: 4, sockets: 1, cpu: "Intel(R) Core(TM) i7-7700T CPU @ 2.90GHz", memoryMiB: 32_768, ports: ["eno1"] },
      thinPools: [{ place: "pve/data", totalGiB: 800 }],
    }),
    node("node03", "192.168.1.250", {
      ...{ cores: 36, sockets: 2, cpu: "Intel(R) Xeon(R) CPU E5-2699 v3 @ 2.30GHz", memoryMiB: 131_072, ports: ["eno1", "eno2"] },
      thinPools: [
        { place: "pve/data", totalGiB: 1700 },
        { place: "data2/data2", totalGiB: 1800 },
      ],
    }),
  ],
  storages: [
    { storage: "local", type: "dir", options: { path: "/var/lib/vz", content: "backup,import,iso,vztmpl" } },
    { storage: "local-lvm", type: "lvmthin", options: { vgname: "pve", thinpool: "data", content: "rootdir,images" } },
    { storage: "slowdata", type: "lvmthin", options: { vgname: "slowdata", thinpool: "slowdata", content: "images,rootdir", nodes: "node01" } },
    { storage: "data2", type: "lvmthin", options: { vgname: "data2", thinpool: "data2", content: "images,rootdir", nodes: "node03" } },
  ],
  images: [
    {
      url: "https://cloud-images.ubuntu.com/releases/24.04/release-20241004/ubuntu-24.04-server-cloudimg-amd64.img",
      sha256: "fad101d50b06b26590cf30542349f9e9d3041ad7929e3bc3531c81ec27f2c788",
    },
  ],
  repositories: [],
  stacks: [{ name: "dev", hosts: ["k8s-dev"] }],
};
