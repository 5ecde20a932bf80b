/** A homelab other than this repository's: one node, two stacks, other names everywhere. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { defineApp } from "../../stacks/define/app";
import { defineStacks } from "../../stacks/define/stacks";
import { type Estate, loadEstate } from "../../stacks/load/estate";
import type { SiteFiles } from "../../stacks/load/site-files";
import { useHomelabSecrets } from "./homelab";

// Modules check that the entries which they name exist, so the tests' secrets are used.
useHomelabSecrets();

const hello = defineApp({
  image: "registry.example.org/hello:1.0.0",
  ports: [{ name: "http", port: 8080, host: "hello", url: "hello" }],
  probes: { ready: "/", live: "port" },
  outputs: { greeting: { url: "http" } },
});
const cluster = { "cert-manager": {}, "cluster-access": {}, "external-secrets": {}, "external-dns": {} } as const;

export const ANOTHER_SITE = {
  site: {
    domain: "example.org",
    subnet: "10.20.0.0/24",
    gateway: "10.20.0.1",
    nameserver: "10.20.0.3",
    proxmoxEndpoint: "https://10.20.0.2:8006/",
    piholeUrl: "http://10.20.0.3",
    vaultAddress: "https://safe.example.org",
    user: "admin",
    operatorKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample me"],
  },
  proxmox: {
    image: { templateName: "base-image", url: "https://images.example.org/base.img", sha256: "a".repeat(64), fileName: "base.qcow2" },
    nodes: [
      {
        name: "pve",
        hardware: "one machine",
        memoryMiB: 65_536,
        reservedMiB: 4096,
        threads: 16,
        bridges: ["vmbr0"],
        storages: ["fast"],
        fileStorage: "local",
        isoStorages: [],
        isos: [],
        templateStorage: "fast",
        templateId: 9000,
      },
    ],
  },
  stacks: defineStacks({
    core: {
      description: "what all others use",
      needs: [],
      vms: { names: "dns", main: "cluster" },
      proxmox: true,
      platform: { ...cluster, vault: {}, "vault-entries": {} },
    },
    play: { description: "for experiments", needs: ["core"], vms: { toy: "cluster" }, platform: cluster, apps: { hello } },
  }),
} as const satisfies SiteFiles;

const vm = (name: string, last: number): string => `name: ${name}
target_node: pve
cores: 2
memory: 4096
nested_disks: {scsi: {scsi0: {disk: {storage: fast, size: 30G}}}}
network: {bridge: vmbr0}
nameserver: 10.20.0.3
ipconfig0: ip=10.20.0.${last}/24,gw=10.20.0.1
`;

const SETTINGS = "config:\n  homelab:acmeEmail: a@example.org\n";

/** Its estate. The files of its VMs and settings are in a temporary folder. @param settings of the stack `core`, beside the required one */
export function anotherEstate(files: SiteFiles = ANOTHER_SITE, settings = ""): Estate {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "homelab-another-site-"));
  try {
    fs.mkdirSync(path.join(root, "site/vms"), { recursive: true });
    for (const [name, last] of [
      ["names", 3],
      ["main", 10],
      ["toy", 11],
    ] as const)
      fs.writeFileSync(path.join(root, `site/vms/${name}.yaml`), vm(name, last));
    for (const name of Object.keys(files.stacks)) fs.writeFileSync(path.join(root, `Pulumi.${name}.yaml`), name === "core" ? SETTINGS + settings : SETTINGS);
    return loadEstate(files, root);
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}
