import { bootVolume, diskKeys, parseDisk } from "./disks";
import { PveError, TaskError } from "./errors";
import { findVm, isTemplate, storageOf, type Vm } from "./model";
import { hasBridge } from "./network";
import { type Call, type Route, recordWrite, required, route } from "./router";
import { startTask } from "./tasks";
import { guestSpec } from "./vm-config";

export const vmOf = (call: Call): Vm => findVm(call.pve, required(call, "node"), Number(required(call, "vmid")));

/** @throws PveError as Proxmox says it when another operation holds the VM */
export function checkUnlocked(vm: Vm): void {
  if (vm.config["lock"] !== undefined) throw new PveError(500, `VM is locked (${vm.config["lock"]})`);
}

export function task(call: Call, vm: Vm, type: string, latency: string, work: Parameters<typeof startTask>[2]): string {
  return startTask(call.pve, { node: vm.node, type, id: String(vm.vmid), user: call.user, latency }, work);
}

/** `1`, `enabled=1,…` */
const AGENT_ON = /(^|,)(enabled=)?1(,|$)/;

/** Power on: from here the machine inside boots by itself. */
export function powerOn(call: Pick<Call, "pve">, vm: Vm): void {
  const { pve } = call;
  vm.status = "running";
  vm.startedAt ??= pve.ctx.clock.now();
  const volume = bootVolume(pve, vm);
  if (!volume?.image) {
    pve.ctx.records.add({
      system: "proxmox",
      target: vm.config["name"] ?? String(vm.vmid),
      kind: "read",
      action: "no-boot",
      detail: { reason: "no bootable disk", vmid: vm.vmid },
    });
    return;
  }
  pve.guests.powerOn(guestSpec(vm, volume.size));
}

async function powerOff(call: Call, vm: Vm): Promise<void> {
  await call.pve.guests.powerOff(String(vm.vmid));
  vm.status = "stopped";
  delete vm.startedAt;
}

/** The storages of its disks and the bridges of its network devices must be there. @throws TaskError as Proxmox says it */
function checkStart(pve: Call["pve"], vm: Vm, log: (line: string) => void): void {
  for (const key of diskKeys(vm)) {
    const storage = /^([^/:]+):/.exec(parseDisk(vm.config[key] ?? "").file)?.[1];
    if (storage !== undefined) storageOf(pve, vm.node, storage);
  }
  for (const [key, value] of Object.entries(vm.config)) {
    const bridge = /^net\d+$/.test(key) ? /(?:^|,)bridge=([^,]+)/.exec(value)?.[1] : undefined;
    if (bridge === undefined || hasBridge(pve, vm.node, bridge)) continue;
    log(`bridge '${bridge}' does not exist`);
    log(`kvm: -netdev type=tap,id=${key},ifname=tap${vm.vmid}i${key.slice(3)},script=/var/lib/qemu-server/pve-bridge: network script failed with status 512`);
    throw new TaskError("start failed: QEMU exited with code 1");
  }
}

function start(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  if (isTemplate(vm)) throw new PveError(500, "you can't start a vm if it's a template");
  return task(call, vm, "qmstart", "proxmox.start", (log) => {
    if (vm.status === "running") throw new TaskError(`VM ${vm.vmid} already running`);
    checkStart(call.pve, vm, log);
    powerOn(call, vm);
    recordWrite(call, vm.config["name"] ?? String(vm.vmid), "vm-start", { node: vm.node, vmid: vm.vmid });
  });
}

const stopWith =
  (type: string) =>
  (call: Call): string => {
    const vm = vmOf(call);
    checkUnlocked(vm);
    return task(call, vm, type, "proxmox.stop", async () => {
      if (vm.status === "stopped") throw new TaskError(`VM ${vm.vmid} not running`);
      await powerOff(call, vm);
      recordWrite(call, vm.config["name"] ?? String(vm.vmid), "vm-stop", { node: vm.node, vmid: vm.vmid });
    });
  };

function reboot(call: Call): string {
  const vm = vmOf(call);
  checkUnlocked(vm);
  if (vm.status !== "running") throw new PveError(500, `VM ${vm.vmid} not running`);
  return task(call, vm, "qmreboot", "proxmox.stop", async () => {
    await powerOff(call, vm);
    powerOn(call, vm);
    recordWrite(call, vm.config["name"] ?? String(vm.vmid), "vm-reboot", { node: vm.node, vmid: vm.vmid });
  });
}

/** Hard, as by the button of a PC. */
export async function resetVm(pve: Call["pve"], vm: Vm): Promise<void> {
  await pve.guests.powerOff(String(vm.vmid));
  powerOn({ pve }, vm);
  const target = vm.config["name"] ?? String(vm.vmid);
  pve.ctx.records.add({ system: "proxmox", target, kind: "write", action: "vm-reset", detail: { node: vm.node, vmid: vm.vmid } });
}

function current(call: Call): Record<string, unknown> {
  const vm = vmOf(call);
  const { config } = vm;
  const running = vm.status === "running";
  return {
    vmid: vm.vmid,
    name: config["name"] ?? `VM ${vm.vmid}`,
    status: vm.status,
    qmpstatus: vm.status,
    cpus: Number(config["cores"] ?? 1) * Number(config["sockets"] ?? 1),
    maxmem: Number((config["memory"] ?? "512").replace("current=", "")) * 1024 ** 2,
    maxdisk: bootVolume(call.pve, vm)?.size ?? 0,
    uptime: running ? Math.floor((call.pve.ctx.clock.now() - (vm.startedAt ?? 0)) / 1000) : 0,
    agent: AGENT_ON.test(config["agent"] ?? "") ? 1 : 0,
    ha: { managed: 0 },
    ...(running ? { pid: 10000 + vm.vmid } : {}),
    ...(config["tags"] === undefined ? {} : { tags: config["tags"] }),
    ...(config["lock"] === undefined ? {} : { lock: config["lock"] }),
    ...(isTemplate(vm) ? { template: 1 } : {}),
  };
}

function agentVm(call: Call): Vm {
  const vm = vmOf(call);
  if (vm.status !== "running") throw new PveError(500, `VM ${vm.vmid} is not running`);
  if (!AGENT_ON.test(vm.config["agent"] ?? "")) throw new PveError(500, "No QEMU guest agent configured");
  if (!call.pve.guests.isUp(String(vm.vmid))) throw new PveError(500, "QEMU guest agent is not running");
  return vm;
}

function interfaces(call: Call): Record<string, unknown> {
  const vm = agentVm(call);
  const { address, prefix } = guestSpec(vm, 0);
  const mac = /=((?:[0-9A-F]{2}:){5}[0-9A-F]{2})/i.exec(vm.config["net0"] ?? "")?.[1]?.toLowerCase() ?? "00:00:00:00:00:00";
  const entry = (ip: string, length: number) => ({ "ip-address": ip, "ip-address-type": "ipv4", prefix: length });
  const loopback = { name: "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [entry("127.0.0.1", 8)] };
  return { result: [loopback, { name: "eth0", "hardware-address": mac, "ip-addresses": address === undefined ? [] : [entry(address, prefix)] }] };
}

const QEMU = "/nodes/{node}/qemu/{vmid}";
export const POWER_ROUTES: readonly Route[] = [
  route("GET", `${QEMU}/status/current`, [], current),
  route("POST", `${QEMU}/status/start`, ["timeout"], start),
  route("POST", `${QEMU}/status/stop`, ["timeout"], stopWith("qmstop")),
  route("POST", `${QEMU}/status/shutdown`, ["forceStop", "timeout"], stopWith("qmshutdown")),
  route("POST", `${QEMU}/status/reboot`, ["timeout"], reboot),
  route("GET", `${QEMU}/agent/network-get-interfaces`, [], interfaces),
  route("POST", `${QEMU}/agent/ping`, [], (call) => void agentVm(call)),
  route("GET", `${QEMU}/agent/get-osinfo`, [], (call) => {
    agentVm(call);
    return { result: { id: "ubuntu", "pretty-name": "Ubuntu 24.04.2 LTS", "version-id": "24.04" } };
  }),
];
