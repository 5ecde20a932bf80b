import * as fs from "node:fs";
import * as path from "node:path";
import { type Document, isMap, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { HomelabError } from "../../common/errors";
import type { VmDisk, VmPassthrough, VmSpec } from "../../components/hosts/vm-spec";
import { nearest } from "../nearest";
import { type IpConfig, parseIpConfig, type VmFile, vmFileSchema } from "./vm-schema";

/** One thing that is wrong with the inventory, at its place. */
export interface Problem {
  file: string;
  /** Line in the file, from 1. */
  line: number;
  /** Key with its parents, `network.bridge`. */
  key: string;
  message: string;
}

/** A VM with the places of its keys, for errors that come later. */
export interface LocatedVm {
  spec: VmSpec;
  file: string;
  lineOf: (key: string) => number;
}

/** Throws all problems as one error, in the order of files and lines. Does nothing when there are none. */
export function throwProblems(problems: readonly Problem[]): void {
  const first = problems[0];
  if (first === undefined) return;
  const lines = problems.map((p) => `${p.file}:${p.line}: ${p.key}: ${p.message}`);
  throw new HomelabError("E_INVENTORY", lines.length === 1 ? (lines[0] ?? "") : `${lines.length} errors in the VM definitions:\n  ${lines.join("\n  ")}`, {
    subject: first.file,
    hint: "correct the lines that are named; docs/vms.md lists every key",
  });
}

type Path = readonly (string | number)[];

/** The line of the innermost thing that is there on the way to `keys`; where the last is a key of a map, that key's line. */
function lineAt(document: Document.Parsed, counter: LineCounter, keys: Path): number {
  for (let length = keys.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const last = keys[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(last));
      if (pair && isNode(pair.key) && pair.key.range) return counter.linePos(pair.key.range[0]).line;
    }
    const node = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
  }
  return 1;
}

/** Known keys at a place of the schema, for the nearest one to a misspelt key. */
function knownKeys(keys: Path): string[] {
  let schema: unknown = vmFileSchema;
  for (const key of keys) schema = unwrap(unwrap(schema)?.shape?.[String(key)] ?? unwrap(schema)?.element);
  return Object.keys(unwrap(schema)?.shape ?? {});
}

/** The object or array schema inside optional, nullable and default ones. */
function unwrap(schema: unknown): { shape?: Record<string, unknown>; element?: unknown } | undefined {
  let current = schema as { def?: { innerType?: unknown }; shape?: Record<string, unknown>; element?: unknown } | undefined;
  while (current?.def?.innerType !== undefined) current = current.def.innerType as typeof current;
  return current;
}

function problemsOf(file: string, issues: readonly z.core.$ZodIssue[], lineOf: (keys: Path) => number): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const at = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const meant = nearest(key, knownKeys(at));
        return {
          file,
          line: lineOf([...at, key]),
          key: [...at, key].join("."),
          message: `unknown key${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
        };
      });
    }
    return [{ file, line: lineOf(at), key: at.join(".") || "(file)", message: issue.message }];
  });
}

const GIB: Record<string, number> = { G: 1, T: 1024 };
const sizeGiB = (text: string): number => Number(text.slice(0, -1)) * (GIB[text.slice(-1)] ?? 1);

type PassthroughFile = NonNullable<NonNullable<VmFile["nested_disks"]>["scsi"]["scsi1"]>["passthrough"];

function passthroughOf(device: PassthroughFile): VmPassthrough {
  const speed = {
    ...(device.iops_r_concurrent === undefined ? {} : { iopsRead: device.iops_r_concurrent }),
    ...(device.iops_r_burst === undefined ? {} : { iopsReadBurstable: device.iops_r_burst }),
    ...(device.iops_wr_concurrent === undefined ? {} : { iopsWrite: device.iops_wr_concurrent }),
    ...(device.iops_wr_burst === undefined ? {} : { iopsWriteBurstable: device.iops_wr_burst }),
    ...(device.mbps_r_concurrent === undefined ? {} : { read: device.mbps_r_concurrent }),
    ...(device.mbps_r_burst === undefined ? {} : { readBurstable: device.mbps_r_burst }),
    ...(device.mbps_wr_concurrent === undefined ? {} : { write: device.mbps_wr_concurrent }),
    ...(device.mbps_wr_burst === undefined ? {} : { writeBurstable: device.mbps_wr_burst }),
  };
  return {
    interface: "scsi1",
    device: device.file,
    backup: device.backup,
    replicate: device.replicate,
    discard: device.discard,
    emulateSsd: device.emulatessd,
    ioThread: device.iothread,
    sizeGiB: device.size === undefined ? undefined : sizeGiB(device.size),
    speed: Object.keys(speed).length === 0 ? undefined : speed,
  };
}

interface Layout {
  disks: VmDisk[];
  passthrough: VmPassthrough[];
  cloudInit: { storage: string; interface: string } | undefined;
}

/** The disks of a file: of the nested layout where it has one, as in the original. */
function layoutOf(vm: VmFile, report: (key: string, message: string) => void): Layout {
  if (vm.nested_disks) {
    const { scsi, ide } = vm.nested_disks;
    return {
      disks: [{ interface: "scsi0", storage: scsi.scsi0.disk.storage, sizeGiB: sizeGiB(scsi.scsi0.disk.size), format: scsi.scsi0.disk.format ?? undefined }],
      passthrough: scsi.scsi1 ? [passthroughOf(scsi.scsi1.passthrough)] : [],
      cloudInit: ide && { storage: ide.ide1.cloudinit.storage, interface: "ide1" },
    };
  }
  const layout: Layout = { disks: [], passthrough: [], cloudInit: undefined };
  for (const [index, disk] of (vm.disks ?? []).entries()) {
    if (disk.cloudinit === true || disk.type === "cloudinit") {
      if (disk.storage === undefined) report(`disks.${index}`, "a cloud-init drive needs a storage");
      else layout.cloudInit = { storage: disk.storage, interface: disk.slot };
    } else if (disk.type === "disk") {
      if (disk.storage === undefined || disk.size === undefined) report(`disks.${index}`, "a disk needs a storage and a size");
      else layout.disks.push({ interface: disk.slot, storage: disk.storage, sizeGiB: sizeGiB(disk.size), format: disk.format ?? undefined });
    } else if (disk.iso != null) report(`disks.${index}.iso`, "ISO drives are not supported: every VM is cloned from the template of its node");
  }
  return layout;
}

function specOf(vm: VmFile, ip: IpConfig, layout: Layout): VmSpec {
  const first = layout.disks[0];
  return {
    name: vm.name,
    node: vm.target_node,
    vmId: vm.vm_id ?? 100 + Number(ip.address.split(".")[3]),
    cores: vm.cores,
    sockets: vm.sockets,
    memoryMiB: vm.memory,
    cpuType: vm.cpu_type,
    onBoot: vm.onboot,
    running: vm.vm_state !== "stopped",
    // A VM without a named template was imported by hand: nothing said that it may hang on a template's disk.
    fullClone: vm.full_clone || vm.clone == null,
    args: vm.args ?? undefined,
    bootOrder: vm.boot == null ? layout.disks.slice(0, 1).map((disk) => disk.interface) : vm.boot.slice("order=".length).split(";"),
    agent: vm.agent === 1 || vm.agent === true,
    scsiHardware: vm.scsihw,
    automaticReboot: vm.automatic_reboot,
    serial: vm.serial,
    disks: layout.disks,
    passthrough: layout.passthrough,
    cloudInit: {
      // Without a drive of its own, the settings lie beside the system disk: an address without them reaches no guest.
      storage: layout.cloudInit?.storage ?? first?.storage ?? "",
      interface: layout.cloudInit?.interface ?? "ide1",
      user: vm.ciuser ?? undefined,
      sshKeys:
        vm.sshkeys == null
          ? []
          : vm.sshkeys
              .trim()
              .split("\n")
              .map((line) => line.trim()),
      nameservers: vm.nameserver == null ? [] : vm.nameserver.split(/[ ,]+/),
      ipv4: { address: ip.address, prefix: ip.prefix, gateway: ip.gateway },
      ipv6: ip.ip6 === undefined ? undefined : { address: ip.ip6, gateway: ip.gw6 },
    },
    network: vm.network,
  };
}

/**
 * Reads one VM definition.
 * @param file named in problems, and its base name must be the VM's
 */
export function readVm(file: string, text: string): { vm: LocatedVm } | { problems: Problem[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const broken = document.errors.map((error) => ({ file, line: counter.linePos(error.pos[0]).line, key: "(YAML)", message: error.message }));
  if (broken.length > 0) return { problems: broken };
  const lineOf = (keys: Path) => lineAt(document, counter, keys);
  const parsed = vmFileSchema.safeParse(document.toJS());
  if (!parsed.success) return { problems: problemsOf(file, parsed.error.issues, lineOf) };
  const problems: Problem[] = [];
  const report = (key: string, message: string) => problems.push({ file, line: lineOf(key.split(".")), key, message });
  const vm = parsed.data;
  const ip = parseIpConfig(vm.ipconfig0);
  if ("problem" in ip) report("ipconfig0", ip.problem);
  const layout = layoutOf(vm, report);
  if (layout.disks.length === 0 && problems.length === 0) report("nested_disks", "a VM needs at least one disk");
  if (path.basename(file, ".yaml") !== vm.name) report("name", `must be the file's name, "${path.basename(file, ".yaml")}"`);
  if (problems.length > 0 || "problem" in ip) return { problems };
  return { vm: { spec: specOf(vm, ip, layout), file, lineOf: (key) => lineOf(key.split(".")) } };
}

/** All VM definitions of a folder, in the order of their names. @throws HomelabError E_INVENTORY with every problem of every file */
export function readVms(folder: string, label: string): LocatedVm[] {
  const problems: Problem[] = [];
  const vms: LocatedVm[] = [];
  for (const entry of fs.readdirSync(folder).sort()) {
    const file = `${label}/${entry}`;
    if (!entry.endsWith(".yaml")) {
      problems.push({ file, line: 1, key: "(file)", message: "only <name>.yaml files belong here" });
      continue;
    }
    const read = readVm(file, fs.readFileSync(path.join(folder, entry), "utf8"));
    if ("vm" in read) vms.push(read.vm);
    else problems.push(...read.problems);
  }
  throwProblems(problems);
  return vms;
}
