import { bootVolume, cloneDisks, freeDisks, parseDisk, printDisk, resize, volumeOf } from "./disks";
import { PveError, parameterError, TaskError } from "./errors";
import { isTemplate, nodeOf, type Pve, storageOf, type Vm } from "./model";
import { checkUnlocked, POWER_ROUTES, powerOn, task, vmOf } from "./power";
import { type Call, CHECKED, NOT_IN_SCHEMA, type Route, recordWrite, required, route } from "./router";
import { startTask } from "./tasks";
import { applyConfig, checkParameters, fillDefaults, showConfig } from "./vm-config";

const labelOf = (vm: Vm): string => vm.config["name"] ?? String(vm.vmid);

function newVm(pve: Pve, node: string, vmid: number): Vm {
  if (!Number.isInteger(vmid) || vmid < 100) throw parameterError({ vmid: "invalid format - value does not look like a valid VM ID" });
  const taken = pve.state.vms.find((v) => v.vmid === vmid);
  if (taken) throw new PveError(500, `unable to create VM ${vmid} - VM ${vmid} already exists on node '${taken.node}'`);
  const vm: Vm = { vmid, node, status: "stopped", config: {} };
  pve.state.vms.push(vm);
  return vm;
}

/** Removes a VM with its disks. A creation or clone that fails removes its own VM, too (qemu-server, API2/Qemu.pm). */
function drop(pve: Pve, vm: Vm): void {
  freeDisks(pve, vm);
  pve.state.vms = pve.state.vms.filter((v) => v !== vm);
  for (const pool of pve.state.pools) pool.members = pool.members.filter((m) => m !== vm.vmid);
}

/** The pool that a new VM becomes a member of. */
function poolOf(pve: Pve, name: string | undefined): Pve["state"]["pools"][number] | undefined {
  if (name === undefined) return undefined;
  const found = pve.state.pools.find(({ poolid }) => poolid === name);
  if (found === undefined) throw new PveError(500, `no such pool '${name}'`);
  return found;
}

function create(call: Call): string {
  const { pve, parameters } = call;
  const node = nodeOf(call.pve, required(call, "node")).name;
  checkParameters(parameters, ["vmid", "start", "pool"]);
  const pool = poolOf(pve, parameters["pool"]);
  const vm = newVm(pve, node, Number(parameters["vmid"]));
  pool?.members.push(vm.vmid);
  vm.config["lock"] = "create";
  vm.config["name"] = parameters["name"] ?? `VM${vm.vmid}`;
  const start = parameters["start"] === "1";
  const undo = (): void => drop(pve, vm);
  return startTask(pve, { node, type: "qmcreate", id: String(vm.vmid), user: call.user, latency: "proxmox.create", undo }, () => {
    try {
      applyConfig(pve, vm, parameters);
    } catch (error) {
      throw new TaskError(`unable to create VM ${vm.vmid} - ${error instanceof PveError ? detailOf(error) : String(error)}`);
    }
    fillDefaults(pve, vm);
    delete vm.config["lock"];
    recordWrite(call, labelOf(vm), "vm-create", { node, vmid: vm.vmid });
    if (start) powerOn(call, vm);
  });
}

const detailOf = (error: PveError): string =>
  error.errors
    ? Object.entries(error.errors)
        .map(([key, text]) => `${key}: ${text}`)
        .join(", ")
    : error.message;

function clone(call: Call): string {
  const { pve, parameters } = call;
  const source = vmOf(call);
  checkUnlocked(source);
  if (pve.ctx.faults.take("proxmox.clone-lock-timeout", source.node)) {
    throw new PveError(500, `can't lock file '/var/lock/qemu-server/lock-${source.vmid}.conf' - got timeout`);
  }
  const full = parameters["full"] === "1" || !isTemplate(source);
  if (!full && parameters["storage"] !== undefined) throw parameterError({ storage: "parameter 'storage' not allowed for linked clones" });
  const node = nodeOf(call.pve, parameters["target"] ?? source.node).name;
  if (node !== source.node) throw new PveError(500, `can't clone to node '${node}': the storage of VM ${source.vmid} is not shared`);
  if (parameters["storage"] !== undefined) storageOf(pve, node, parameters["storage"]);
  const pool = poolOf(pve, parameters["pool"]);
  const vm = newVm(pve, node, Number(parameters["newid"]));
  pool?.members.push(vm.vmid);
  vm.config["lock"] = "clone";
  vm.config["name"] = parameters["name"] ?? `Copy-of-VM-${labelOf(source)}`;
  const undo = (): void => drop(pve, vm);
  return startTask(pve, { node: source.node, type: "qmclone", id: String(source.vmid), user: call.user, latency: "proxmox.clone", undo }, () => {
    const own = /^(template|lock|smbios1|vmgenid|meta|name|unused\d+|net\d+)$/;
    const nets = Object.entries(source.config).filter(([key]) => /^net\d+$/.test(key));
    Object.assign(vm.config, Object.fromEntries(Object.entries(source.config).filter(([key]) => !own.test(key) && !volumeOf(pve, source, key))));
    cloneDisks(pve, source, vm, parameters["storage"]);
    const fresh = Object.fromEntries(nets.map(([key, value]) => [key, value.replace(/=(?:[0-9A-F]{2}:){5}[0-9A-F]{2}/i, "")]));
    applyConfig(pve, vm, parameters["description"] === undefined ? fresh : { ...fresh, description: parameters["description"] });
    fillDefaults(pve, vm);
    delete vm.config["lock"];
    recordWrite(call, labelOf(vm), "clone", { node, vmid: vm.vmid, from: source.vmid, full });
  });
}

function update(call: Call): boolean {
  const vm = vmOf(call);
  if (call.parameters["skiplock"] !== "1") checkUnlocked(vm);
  checkParameters(call.parameters, ["delete", "digest", "skiplock"]);
  const changed = applyConfig(call.pve, vm, call.parameters);
  if (changed) {
    const options = Object.keys(call.parameters).filter((key) => key !== "digest");
    recordWrite(call, labelOf(vm), "vm-config", { node: vm.node, vmid: vm.vmid, options });
  }
  return changed;
}

function updateAsync(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  checkParameters(call.parameters, ["delete", "digest", "skiplock"]);
  return task(call, vm, "qmconfig", "proxmox.config", () => void update(call));
}

function resizeDisk(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  const disk = call.parameters["disk"] ?? "";
  if (vm.config[disk] === undefined) throw new PveError(500, `disk '${disk}' does not exist`);
  return task(call, vm, "resize", "proxmox.resize", () => {
    const before = vm.config[disk];
    resize(call.pve, vm, disk, call.parameters["size"] ?? "");
    if (vm.config[disk] !== before) recordWrite(call, labelOf(vm), "vm-resize", { node: vm.node, vmid: vm.vmid, disk, size: call.parameters["size"] });
  });
}

function moveDisk(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  const { disk = "", storage = "" } = call.parameters;
  const volume = volumeOf(call.pve, vm, disk);
  if (!volume) throw new PveError(500, `disk '${disk}' does not exist`);
  storageOf(call.pve, vm.node, storage);
  // The lab always deletes the source of a moved disk, so it accepts only `delete=1`.
  if (call.parameters["delete"] !== "1") throw parameterError({ delete: NOT_IN_SCHEMA });
  if (volume.storage === storage) throw new PveError(500, "you can't move to the same storage with same format");
  return task(call, vm, "qmmove", "proxmox.clone", () => {
    const { options } = parseDisk(vm.config[disk] ?? "");
    const name = volume.volid.slice(volume.volid.indexOf(":") + 1);
    Object.assign(volume, { storage, volid: `${storage}:${name}` });
    vm.config[disk] = printDisk({ file: volume.volid, options });
    recordWrite(call, labelOf(vm), "vm-move-disk", { node: vm.node, vmid: vm.vmid, disk, storage });
  });
}

function convertToTemplate(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  if (vm.status === "running") throw new PveError(500, `you can't convert a VM to template if VM is running`);
  if (isTemplate(vm)) throw new PveError(500, "you can't convert a template to a template");
  return task(call, vm, "qmtemplate", "proxmox.config", () => {
    vm.config["template"] = "1";
    recordWrite(call, labelOf(vm), "vm-template", { node: vm.node, vmid: vm.vmid });
  });
}

function destroy(call: Call): string {
  const vm = vmOf(call);
  // The parameters change nothing: the lab's VMs never leave disks or entries behind.
  checkUnlocked(vm);
  if (vm.config["protection"] === "1") throw new PveError(500, `can't remove VM ${vm.vmid} - protection mode enabled`);
  if (vm.status === "running") throw new PveError(500, `VM ${vm.vmid} is running - destroy failed`);
  return task(call, vm, "qmdestroy", "proxmox.delete", async () => {
    await call.pve.guests.destroy(String(vm.vmid));
    drop(call.pve, vm);
    recordWrite(call, labelOf(vm), "vm-delete", { node: vm.node, vmid: vm.vmid });
  });
}

export function listEntry(pve: Pve, vm: Vm): Record<string, unknown> {
  return {
    vmid: vm.vmid,
    name: labelOf(vm),
    status: vm.status,
    maxmem: Number((vm.config["memory"] ?? "512").replace("current=", "")) * 1024 ** 2,
    maxdisk: bootVolume(pve, vm)?.size ?? 0,
    cpus: Number(vm.config["cores"] ?? 1) * Number(vm.config["sockets"] ?? 1),
    ...(vm.config["tags"] === undefined ? {} : { tags: vm.config["tags"] }),
    ...(isTemplate(vm) ? { template: 1 } : {}),
  };
}

const QEMU = "/nodes/{node}/qemu/{vmid}";
export const VM_ROUTES: readonly Route[] = [
  route("GET", "/nodes/{node}/qemu", [], (call) => {
    const node = nodeOf(call.pve, required(call, "node")).name;
    return call.pve.state.vms.filter((vm) => vm.node === node).map((vm) => listEntry(call.pve, vm));
  }),
  route("POST", "/nodes/{node}/qemu", CHECKED, create),
  route("DELETE", QEMU, ["purge", "destroy-unreferenced-disks"], destroy),
  route("GET", `${QEMU}/config`, [], (call) => showConfig(vmOf(call))),
  route("PUT", `${QEMU}/config`, CHECKED, (call) => void update(call)),
  route("POST", `${QEMU}/config`, CHECKED, updateAsync),
  route("POST", `${QEMU}/clone`, ["newid", "full", "name", "description", "target", "storage", "pool"], clone),
  route("POST", `${QEMU}/template`, [], convertToTemplate),
  route("PUT", `${QEMU}/resize`, ["disk", "size", "digest"], resizeDisk),
  route("POST", `${QEMU}/move_disk`, ["disk", "storage", "delete"], moveDisk),
  route("PUT", `${QEMU}/cloudinit`, [], (call) => void vmOf(call)),
  route("GET", `${QEMU}/snapshot`, [], (call) => {
    vmOf(call);
    return [{ name: "current", description: "You are here!", running: 0 }];
  }),
  ...POWER_ROUTES,
];
