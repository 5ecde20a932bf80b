/** The storages of a node's own disks: directories, volume groups, thin pools and ZFS pools. */
import { bool, str } from "../../sdk/schema";
import type { Json } from "../../sdk/values";
import { backupParams, backupsField, checkBackups, describeBackups } from "./backups";
import { defineStorage } from "./storage-type";

const oneOf =
  (...values: string[]) =>
  (value: unknown) =>
    values.includes(String(value)) ? undefined : `must be one of ${values.join(", ")}`;

/** Proxmox's own default where the entry says nothing. */
const isOnUnlessSaid = (value: Json | undefined): boolean => Number(value ?? 1) === 1;

const directory = defineStorage({
  token: "proxmoxve:storage/directory:Directory",
  type: "dir",
  place: {
    path: {
      name: "path",
      kind: "text",
      validate: (path) => (/^\/[-/a-zA-Z0-9_.@]+$/.test(String(path)) ? undefined : "must be an absolute path, such as /var/lib/homelab"),
    },
  },
  settings: {
    preallocation: { name: "preallocation", kind: "text" },
    shared: { name: "shared", kind: "flag" },
    createBasePath: { name: "create-base-path", kind: "flag" },
    createSubdirs: { name: "create-subdirs", kind: "flag" },
  },
  fields: {
    preallocation: str({ validate: oneOf("off", "metadata", "falloc", "full") }),
    shared: bool(),
    createBasePath: bool(),
    createSubdirs: bool(),
    backups: backupsField,
  },
  // The official plugin's, `shared` included: say false where each node has a directory of its own.
  defaults: { shared: true, createBasePath: true, createSubdirs: true },
  validate: checkBackups,
  params: backupParams,
  describe: (entry, known) => ({
    createBasePath: isOnUnlessSaid(entry["create-base-path"]),
    createSubdirs: isOnUnlessSaid(entry["create-subdirs"]),
    ...describeBackups(entry, known),
  }),
});

const lvm = defineStorage({
  token: "proxmoxve:storage/lvm:Lvm",
  type: "lvm",
  place: { volumeGroup: { name: "vgname", kind: "text" } },
  settings: { wipeRemovedVolumes: { name: "saferemove", kind: "flag" }, shared: { name: "shared", kind: "flag" } },
  fields: { wipeRemovedVolumes: bool(), shared: bool() },
  defaults: { wipeRemovedVolumes: false, shared: false },
});

const lvmthin = defineStorage({
  token: "proxmoxve:storage/lvmthin:Lvmthin",
  type: "lvmthin",
  place: { volumeGroup: { name: "vgname", kind: "text" }, thinPool: { name: "thinpool", kind: "text" } },
  computed: ["shared"],
});

const zfspool = defineStorage({
  token: "proxmoxve:storage/zfspool:Zfspool",
  type: "zfspool",
  place: { zfsPool: { name: "pool", kind: "text" } },
  settings: { thinProvision: { name: "sparse", kind: "flag" }, blocksize: { name: "blocksize", kind: "text" } },
  fields: {
    thinProvision: bool(),
    blocksize: str({ validate: (size) => (/^\d+[km]?$/i.test(String(size)) ? undefined : "must be a power of two with k or m, such as 16k") }),
  },
  computed: ["shared"],
});

export const storageTypes = [directory, lvm, lvmthin, zfspool];
