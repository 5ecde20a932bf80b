import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import {
  base,
  bootServer,
  clusterApi,
  combineRoles,
  haproxy,
  k3sServer,
  kubeadmCluster,
  kubeadmNode,
  longhornPrep,
  pihole,
  type Role,
  teleport,
  usbStorage,
} from "../../ansible-replacements";
import { projectRoot } from "../../common/paths";

export interface RoleCase {
  role: Role;
  /** A role that the host already has. Default: none. */
  before?: Role;
  /** A value for each secret of both roles. Default: none. */
  secrets?: Record<string, string>;
  /** A disk that is plugged into the host. */
  disk?: { id: string; content?: { type: string; uuid: string } };
}

/** The lab's stand-ins for files. Entries of manifests name a file in place of their content. */
const filesSchema = z.array(z.looseObject({ url: z.string(), content: z.string().default("") }));

/** The SHA-256 of a stand-in, for files without a published digest. */
export function digestOf(url: string): string {
  const files = filesSchema.parse(parse(fs.readFileSync(path.join(projectRoot(), "lab/artefacts/data/files.yaml"), "utf8")));
  const found = files.find((file) => file.url === url);
  if (found === undefined) throw new Error(`the lab has no ${url}`);
  return createHash("sha256").update(found.content).digest("hex");
}

export const SECRETS = {
  HAPROXY_STATS_PASSWORD: 'st"ats $word\\`x`-canary-1',
  CLOUDFLARE_API_TOKEN: "cloudflare-canary-2",
  TELEPORT_POSTGRES_PASSWORD: 'post"gres $canary-3',
  AWS_ACCESS_KEY_ID: "access-canary-4",
  AWS_SECRET_ACCESS_KEY: "secret/canary-5",
  PROXMOX_URL: "https://192.168.1.248:8006",
  PROXMOX_TOKEN: "capi@pve!canary-6",
  PROXMOX_SECRET: "proxmox-canary-7",
  PIHOLE_PASSWORD: "pihole canary-8",
  PVE_ROOT_PASSWORD_HASH: "$6$canary9$abc/def.ghi",
  KUBEADM_TOKEN: "abcdef.0123456789abcdef",
  KUBEADM_CERTIFICATE_KEY: "0123456789abcdef".repeat(4),
};

const pick = (...names: (keyof typeof SECRETS)[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, SECRETS[name]]));
/** The secrets of the first node of a kubeadm cluster. */
export const KUBEADM_SECRETS = pick("KUBEADM_TOKEN", "KUBEADM_CERTIFICATE_KEY");
export const ADDRESS = "192.168.1.12";
const USB = "usb-SanDisk_Extreme_55AE_323235303533";

export const kubeadmFirst = (): Role =>
  kubeadmCluster({
    name: "k8s-dev",
    address: ADDRESS,
    endpoint: `${ADDRESS}:6443`,
    clusterName: "vanilla",
    podCidr: "10.244.0.0/16",
    lan: "192.168.1.0/24",
    cilium: { cli: { version: "v0.18.3", sha256: digestOf("https://github.com/cilium/cilium-cli/releases/download/v0.18.3/cilium-linux-amd64.tar.gz") } },
  });

export const clusterApiRole = (core = "cluster-api:v1.9.5"): Role =>
  clusterApi({
    clusterctl: { version: "v1.9.5", sha256: digestOf("https://github.com/kubernetes-sigs/cluster-api/releases/download/v1.9.5/clusterctl-linux-amd64") },
    providers: { core, bootstrap: "talos:v0.6.7", controlPlane: "talos:v0.5.8", infrastructure: "proxmox:v0.7.0", ipam: "in-cluster:v1.0.0" },
  });

export const haproxyRole = (port = 6443): Role =>
  haproxy({ clusters: [{ name: "dev", frontendPort: port, backendPort: 6443, nodes: [{ name: "k8s-dev", address: ADDRESS }] }] });

export const teleportRole = (spec: Record<string, unknown> = { allow: { db_labels: { "*": "*" }, db_users: ["*"], db_names: ["*"] } }): Role =>
  teleport({
    domain: "teleport.fullstack.pw",
    clusterName: "fullstack-pw",
    acmeEmail: "admin@fullstack.pw",
    postgres: { host: "postgres.fullstack.pw", user: "teleport", database: "teleport", auditDatabase: "teleport_audit" },
    sessions: { bucket: "teleport", endpoint: "s3.fullstack.pw", region: "main" },
    roles: [{ name: "db-access", spec }],
  });

export const usbRole = (): Role =>
  usbStorage({ device: `/dev/disk/by-id/${USB}`, path: "/mnt/home", directories: [{ path: "immich", owner: "1001:1001", mode: "0750" }] });

export const usbDisk = (content?: { type: string; uuid: string }): { id: string; content?: { type: string; uuid: string } } =>
  content === undefined ? { id: USB } : { id: USB, content };

/** Every role, as the homelab uses it. */
export const ROLE_CASES: Readonly<Record<string, () => RoleCase>> = {
  "k3s-server": () => ({ role: combineRoles("k3s-node", base, k3sServer({ address: ADDRESS, disable: ["traefik"], localStoragePath: "/mnt/storage" })) }),
  "kubeadm-node": () => ({ role: kubeadmNode() }),
  "kubeadm-cluster": () => ({
    before: kubeadmNode(),
    role: kubeadmFirst(),
    secrets: KUBEADM_SECRETS,
  }),
  "longhorn-prep": () => ({ role: longhornPrep() }),
  haproxy: () => ({ role: haproxyRole(), secrets: pick("HAPROXY_STATS_PASSWORD") }),
  teleport: () => ({
    role: teleportRole(),
    secrets: pick("CLOUDFLARE_API_TOKEN", "TELEPORT_POSTGRES_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
  }),
  "cluster-api": () => ({
    before: combineRoles("k3s-node", base, k3sServer({ address: ADDRESS })),
    role: clusterApiRole(),
    secrets: pick("PROXMOX_URL", "PROXMOX_TOKEN", "PROXMOX_SECRET"),
  }),
  "usb-storage": () => ({ role: usbRole(), disk: usbDisk() }),
  "boot-server": () => ({
    role: bootServer({
      address: ADDRESS,
      network: "192.168.1.0/24",
      iso: { version: "8.4-1", sha256: digestOf("https://enterprise.proxmox.com/iso/proxmox-ve_8.4-1.iso") },
      assistant: { codename: "bookworm", version: "8.4.6", keyFingerprint: "1".repeat(40) },
      answer: {
        fqdn: "node04.fullstack.pw",
        country: "pt",
        timeZone: "Europe/Lisbon",
        keyboard: "pt",
        mailto: "admin@fullstack.pw",
        sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample operator"],
        diskFilter: { ID_SERIAL: "Samsung_SSD_870_S6PXNM0T" },
      },
    }),
    secrets: pick("PVE_ROOT_PASSWORD_HASH"),
  }),
  pihole: () => ({ role: pihole({ upstreams: ["1.1.1.1", "9.9.9.9"], hosts: { "vault.fullstack.pw": "192.168.1.15" } }), secrets: pick("PIHOLE_PASSWORD") }),
};

/** The role that `make test` interrupts. Rehearsals interrupt the others. */
export const INTERRUPTED_IN_QUICK = "haproxy";
