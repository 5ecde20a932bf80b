/** Reads VM definitions: text → checked keys → `VmSpec`, every problem with its line. */
import * as fs from "node:fs";
import * as path from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import { lineAt, type Path, problemsOf } from "../places";
import { type Problem, throwProblems } from "../problems";
import { type IpConfig, parseIpConfig } from "./ip-config";
import { type Layout, layoutOf } from "./layout";
import { linesOf, nameserversOf, type VmFile, vmFileSchema } from "./vm-schema";

/** A VM with the places of its keys, for errors that come later. */
export interface LocatedVm {
  spec: VmSpec;
  file: string;
  lineOf: (key: string) => number;
  /** The key of a drive in the file, `scsi0` → `nested_disks.scsi.scsi0.disk`; undefined: the file does not name it. */
  placeOf: (drive: string) => string | undefined;
  /** The key that gives the Proxmox id: `vm_id`, or `ipconfig0` where it follows from the address. */
  idKey: string;
  /** What is accepted and has no effect. */
  warnings: Problem[];
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
    holdsData: vm.holds_data ?? layout.passthrough.length > 0,
    // A VM without a named template was imported by hand in the original: it shares no disk with a template, so it gets a full clone.
    fullClone: vm.full_clone || vm.clone == null,
    args: vm.args ?? undefined,
    bootOrder: vm.boot == null ? layout.disks.slice(0, 1).map((disk) => disk.interface) : vm.boot.slice("order=".length).split(";"),
    agent: vm.agent === 1 || vm.agent === true,
    scsiHardware: vm.scsihw,
    automaticReboot: vm.automatic_reboot,
    serial: vm.serial,
    disks: layout.disks,
    passthrough: layout.passthrough,
    cdrom: layout.cdrom,
    cloudInit: {
      // Without a cloud-init drive in the file there is one on the storage of the system disk: the guest gets its address by it.
      storage: layout.cloudInit?.storage ?? first?.storage ?? "",
      interface: layout.cloudInit?.interface ?? "ide1",
      user: vm.ciuser ?? undefined,
      sshKeys: linesOf(vm.sshkeys ?? ""),
      nameservers: nameserversOf(vm.nameserver ?? ""),
      ipv4: { address: ip.address, prefix: ip.prefix, gateway: ip.gateway },
      ipv6: ip.ip6 === undefined ? undefined : { address: ip.ip6, gateway: ip.gw6 },
    },
    network: { bridge: vm.network.bridge, model: vm.network.model, firewall: vm.network.firewall },
  };
}

/** Checks that need several keys. */
function checkTogether(vm: VmFile, file: string, layout: Layout, report: (key: string, message: string) => void): void {
  if (layout.disks.length === 0) report("nested_disks", "a VM needs at least one disk");
  const drives = [...layout.places.keys(), ...(layout.cloudInit ? [] : ["ide1"]), "net0"];
  const missing = vm.boot
    ?.slice("order=".length)
    .split(";")
    .find((device) => !drives.includes(device));
  if (missing !== undefined) report("boot", `the VM has no ${missing}; it has ${drives.join(", ")}`);
  const taken = layout.places.get("ide1");
  if (!layout.cloudInit && taken !== undefined) report(taken, "ide1 is where the cloud-init drive goes unless the file says another slot");
  const name = path.basename(file, ".yaml");
  if (name !== vm.name) report("name", `must be the file's name, "${name}"`);
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
  if (!parsed.success) return { problems: problemsOf(file, vmFileSchema, parsed.error.issues, lineOf) };
  const vm = parsed.data;
  const [problems, warnings]: [Problem[], Problem[]] = [[], []];
  const into = (list: Problem[]) => (key: string, message: string) => void list.push({ file, line: lineOf(key.split(".")), key, message });
  const [report, warn] = [into(problems), into(warnings)];
  if (vm.cipassword != null) warn("cipassword", "has no effect: log-in is by key only; remove the line and treat the value as compromised");
  const ip = parseIpConfig(vm.ipconfig0);
  if ("problem" in ip) report("ipconfig0", ip.problem);
  const layout = layoutOf(vm, report, warn);
  if (problems.length === 0) checkTogether(vm, file, layout, report);
  if (problems.length > 0 || "problem" in ip) return { problems };
  const placeOf = (drive: string) => layout.places.get(drive);
  const idKey = vm.vm_id === undefined ? "ipconfig0" : "vm_id";
  return { vm: { spec: specOf(vm, ip, layout), file, lineOf: (key) => lineOf(key.split(".")), placeOf, idKey, warnings } };
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
