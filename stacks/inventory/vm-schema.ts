/** The keys of a VM file, as the original system took them; each default is what that system's code used. */
import { z } from "zod";

/** A size as Proxmox writes it. */
const size = z.string().regex(/^[1-9]\d*[GT]$/, 'must be a whole number with the unit G or T, such as "30G"');
const storage = z.string().min(1);
const format = z.enum(["raw", "qcow2", "vmdk"]).nullish();
const limit = z.int().min(0).optional();

const disk = z.strictObject({ storage, size, format });

const passthrough = z.strictObject({
  file: z.string().regex(/^\/dev\/disk\/by-id\/[^/]+$/, "must be a stable name below /dev/disk/by-id/, since /dev/sdX changes with each start"),
  backup: z.boolean().optional(),
  discard: z.boolean().optional(),
  emulatessd: z.boolean().optional(),
  iothread: z.boolean().optional(),
  readonly: z.boolean().optional(),
  replicate: z.boolean().optional(),
  size: size.optional(),
  iops_r_burst: limit,
  iops_r_burst_length: limit,
  iops_r_concurrent: limit,
  iops_wr_burst: limit,
  iops_wr_burst_length: limit,
  iops_wr_concurrent: limit,
  mbps_r_burst: limit,
  mbps_r_concurrent: limit,
  mbps_wr_burst: limit,
  mbps_wr_concurrent: limit,
});

/** The layout that counts where a file has both. */
const nestedDisks = z.strictObject({
  scsi: z.strictObject({ scsi0: z.strictObject({ disk }), scsi1: z.strictObject({ passthrough }).optional() }),
  ide: z.strictObject({ ide1: z.strictObject({ cloudinit: z.strictObject({ storage }) }) }).optional(),
});

/** The older layout: a list of slots. */
const flatDisk = z.strictObject({
  slot: z.string().regex(/^(scsi|ide|sata|virtio)\d+$/, "must be a slot such as scsi0"),
  type: z.enum(["disk", "cdrom", "cloudinit"]).default("disk"),
  size: size.optional(),
  storage: storage.optional(),
  iso: z.string().nullish(),
  format,
  cloudinit: z.boolean().optional(),
});

const hostName = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be a host name: lower-case letters, digits and dashes");

const publicKey = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/=]+( .*)?$/;

export const vmFileSchema = z.strictObject({
  name: hostName,
  target_node: z.string(),
  /** Not in the original: a fixed Proxmox id. Default: 100 plus the last part of the address. */
  vm_id: z.int().min(100).max(999_999_999).optional(),
  cores: z.int().min(1).max(128).default(1),
  sockets: z.int().min(1).max(4).default(1),
  memory: z.int("must be a whole number of MiB").min(256, "must be at least 256 MiB").default(1024),
  cpu_type: z.string().default("host"),
  onboot: z.boolean().default(true),
  /** Kept for old files: every VM is cloned from the template of its node. */
  clone: z.string().nullish(),
  full_clone: z.boolean().default(false),
  args: z.string().nullish(),
  boot: z
    .string()
    .regex(/^order=[a-z]+\d+(;[a-z]+\d+)*$/, 'must be "order=" and device names, such as order=scsi0')
    .nullish(),
  agent: z.union([z.literal(0), z.literal(1), z.boolean()]).default(0),
  vm_state: z.enum(["running", "started", "stopped"]).nullish(),
  scsihw: z.string().default("virtio-scsi-single"),
  /** What the original's provider needed and this one does not; accepted and without effect. */
  define_connection_info: z.boolean().default(false),
  skip_ipv6: z.boolean().default(false),
  automatic_reboot: z.boolean().default(true),
  ciuser: hostName.nullish(),
  cipassword: z.never("must not stand in a file: log-in is by key only; remove the line and treat the value as burnt").optional(),
  sshkeys: z
    .string()
    .refine(
      (text) =>
        text
          .trim()
          .split("\n")
          .every((line) => publicKey.test(line.trim())),
      "must be OpenSSH public keys, one on each line",
    )
    .nullish(),
  nameserver: z.string().nullish(),
  ipconfig0: z.string(),
  serial: z.boolean().default(false),
  /** An unused key of two of the original's files. */
  template: z.null().optional(),
  nested_disks: nestedDisks.optional(),
  disks: z.array(flatDisk).optional(),
  network: z.strictObject({
    bridge: z.string(),
    model: z.enum(["virtio", "e1000", "rtl8139", "vmxnet3"]).default("virtio"),
    firewall: z.boolean().default(true),
  }),
});

export type VmFile = z.infer<typeof vmFileSchema>;

/** `ip=192.168.1.12/24,gw=192.168.1.1,ip6=dhcp` in its parts. */
export interface IpConfig {
  address: string;
  prefix: number;
  gateway: string | undefined;
  ip6: string | undefined;
  gw6: string | undefined;
}

/** The parts of an `ipconfig0`, or what is wrong with it. A DHCP address is refused: hosts are found by it. */
export function parseIpConfig(text: string): IpConfig | { problem: string } {
  const parts = new Map<string, string>();
  for (const part of text.split(",")) {
    const [key = "", value, ...rest] = part.split("=");
    if (value === undefined || value === "" || rest.length > 0) return { problem: `"${part}" is not key=value` };
    if (!["ip", "gw", "ip6", "gw6"].includes(key)) return { problem: `unknown part "${key}"; known are ip, gw, ip6 and gw6` };
    if (parts.has(key)) return { problem: `"${key}" stands twice` };
    parts.set(key, value);
  }
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(parts.get("ip") ?? "");
  if (!match?.[1] || !match[2]) return { problem: "needs ip=<IPv4 address>/<prefix>; hosts are reached by it, so it cannot be dhcp" };
  if (match[1].split(".").some((octet) => Number(octet) > 255) || Number(match[2]) > 32)
    return { problem: `"${match[0]}" is not an IPv4 address with a prefix` };
  return { address: match[1], prefix: Number(match[2]), gateway: parts.get("gw"), ip6: parts.get("ip6"), gw6: parts.get("gw6") };
}
