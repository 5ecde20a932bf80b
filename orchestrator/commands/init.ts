import { defineCommand } from "../cli/command";

export const command = defineCommand({
  group: "more",
  place: 1,
  summary: "writes the files of your own homelab into a checkout that has none",
  notes:
    "It asks at a terminal; --yes takes the default of each flag that is not given. It writes site/, the stacks' settings, .sops.yaml with a new age key, and the secrets: values that can be generated are, and values that only you know are marked. The private half of the key goes outside the checkout. It overwrites no file. The lab can build the result at once.",
  flags: [
    { name: "domain", value: "NAME", help: "base of all host names (default home.arpa)" },
    { name: "network", value: "CIDR", help: "network of the hosts (default 192.168.0.0/24)" },
    { name: "gateway", value: "ADDRESS", help: "router of that network (default: its first address)" },
    { name: "node", value: "NAME=ADDRESS", help: "Proxmox nodes, with commas between them (default: pve at the second address)" },
    { name: "stacks", value: "NAMES", help: "names of the stacks, with commas between them; the first one has the hosts' own services (default tools,dev)" },
    { name: "user", value: "NAME", help: "user on the hosts (default admin)" },
    {
      name: "certificates",
      value: "own|cloudflare",
      help: "who signs the certificates: an authority that is made here, or Let's Encrypt by a token of Cloudflare (default own)",
    },
    { name: "memory", value: "GIB", count: true, help: "memory of each node (default 32)" },
    { name: "threads", value: "N", count: true, help: "processor threads of each node (default 8)" },
    { name: "storage", value: "NAME", help: "storage for the disks of VMs (default local-lvm)" },
    { name: "file-storage", value: "NAME", help: "storage for images and ISOs (default local)" },
    { name: "bridge", value: "NAME", help: "bridge of the nodes (default vmbr0)" },
    { name: "proxmox", value: "URL", help: "read the nodes from this Proxmox API; the token's secret comes from HOMELAB_PROXMOX_TOKEN, or is asked for" },
    { name: "token-id", value: "ID", help: "ID of that token (default homelab@pve!pulumi)" },
    { name: "insecure", help: "do not check Proxmox's certificate; needed where Proxmox signed it itself" },
    { name: "yes", help: "do not ask, and take the default of each flag that is not given" },
  ],
  examples: ["homelab init --domain example.org --network 10.20.0.0/24 --node pve=10.20.0.2 --stacks tools,dev --user admin --yes"],
  run: async (args, session) => (await import("../begin/init-site")).initSite(args, session),
});
