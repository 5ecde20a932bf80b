/** The keys of a VM file, as the original system took them; each default is what that system's code used. */
import { isIP } from "node:net";
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

/** The layout that is used where a file has both. */
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
  iso: z
    .string()
    .regex(/^[a-z][\w.-]*:iso\/[^/,\s]+\.(iso|img)$/i, "must be an ISO in a storage, such as local:iso/installer.iso")
    .nullish(),
  format,
  cloudinit: z.boolean().optional(),
});

const hostName = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be a host name: lower-case letters, digits and dashes");

/** The lines of a text that are not empty. */
export const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

export const nameserversOf = (text: string): string[] => text.split(/[\s,]+/).filter((server) => server !== "");

const publicKey = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/=]+( .*)?$/;

export const vmFileSchema = z.strictObject({
  name: hostName,
  target_node: z.string().min(1),
  /** Not in the original: a fixed Proxmox id. Default: 100 plus the last part of the address. */
  vm_id: z.int().min(100).max(999_999_999).optional(),
  cores: z.int().min(1).max(128).default(1),
  sockets: z.int().min(1).max(4).default(1),
  memory: z.int("must be a whole number of MiB").min(256, "must be at least 256 MiB").default(1024),
  cpu_type: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a CPU type of Proxmox, such as host or x86-64-v2-AES")
    .default("host"),
  onboot: z.boolean().default(true),
  /** Not in the original: its disks hold what exists nowhere else, so it is protected. Default: where it has a disk of the host. */
  holds_data: z.boolean().optional(),
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
  scsihw: z.enum(["lsi", "lsi53c810", "megasas", "pvscsi", "virtio-scsi-pci", "virtio-scsi-single"]).default("virtio-scsi-single"),
  /** What the original's provider needed and this one does not; accepted and without effect. */
  define_connection_info: z.boolean().default(false),
  skip_ipv6: z.boolean().default(false),
  automatic_reboot: z.boolean().default(true),
  ciuser: hostName.nullish(),
  /** Accepted so that old files work, and without effect: log-in is by key only. */
  cipassword: z.string().nullish(),
  sshkeys: z
    .string()
    .refine((text) => linesOf(text).length > 0 && linesOf(text).every((line) => publicKey.test(line)), "must be OpenSSH public keys, one on each line")
    .nullish(),
  nameserver: z
    .string()
    .refine((text) => nameserversOf(text).length > 0 && nameserversOf(text).every((server) => isIP(server) !== 0), "must be IP addresses, separated by spaces")
    .nullish(),
  ipconfig0: z.string(),
  serial: z.boolean().default(false),
  /** An unused key of two of the original's files. */
  template: z.null().optional(),
  nested_disks: nestedDisks.optional(),
  disks: z.array(flatDisk).optional(),
  network: z.strictObject({
    bridge: z.string().min(1),
    model: z.enum(["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"]).default("virtio"),
    firewall: z.boolean().default(true),
  }),
});

export type VmFile = z.infer<typeof vmFileSchema>;
export type FlatDisk = z.infer<typeof flatDisk>;
export type PassthroughFile = z.infer<typeof passthrough>;
