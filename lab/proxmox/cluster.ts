import type { LabNode } from "../../common/lab-site";
import { PveError, parameterError } from "./errors";
import { isOn, nodeOf, type Pve } from "./model";
import { type Call, type Route, recordWrite, required, route } from "./router";
import { storageStatus } from "./storage-config";
import { findTask, stopTask, taskStatus } from "./tasks";
import { listEntry } from "./vms";

/** The version of Proxmox VE that the lab models. */
const VERSION = { version: "8.4.1", release: "8.4", repoid: "2a5fa54a8503f96d" } as const;

function nextId(call: Call): string {
  const { vmid } = call.parameters;
  const taken = new Set(call.pve.state.vms.map((vm) => vm.vmid));
  if (vmid !== undefined) {
    if (taken.has(Number(vmid))) throw parameterError({ vmid: `VM ${vmid} already exists` });
    return vmid;
  }
  let id = 100;
  while (taken.has(id)) id += 1;
  return String(id);
}

function usedMemory(pve: Pve, node: string): number {
  return pve.state.vms.filter((vm) => vm.node === node && vm.status === "running").reduce((sum, vm) => sum + Number(vm.config["memory"] ?? 512) * 1024 ** 2, 0);
}

function resources(call: Call): unknown {
  const { type } = call.parameters;
  const {
    state,
    site: { nodes: hardware },
  } = call.pve;
  const inPool = (vmid: number): { pool?: string } => {
    const found = state.pools.find(({ members }) => members.includes(vmid));
    return found === undefined ? {} : { pool: found.poolid };
  };
  const vms = state.vms.map((vm) => ({ type: "qemu", id: `qemu/${vm.vmid}`, node: vm.node, ...inPool(vm.vmid), ...listEntry(call.pve, vm) }));
  const nodes = hardware.map((n) => ({
    type: "node",
    id: `node/${n.name}`,
    node: n.name,
    status: "online",
    maxcpu: n.cores * n.sockets,
    maxmem: n.memoryMiB * 1024 ** 2,
    mem: usedMemory(call.pve, n.name),
  }));
  const storages = hardware.flatMap((n) =>
    state.storages
      .filter((s) => isOn(s, n.name))
      .map((s) => {
        const { active, total, used, shared, content } = storageStatus(call.pve, s, n.name);
        return {
          ...{ type: "storage", id: `storage/${n.name}/${s.storage}`, node: n.name, storage: s.storage, plugintype: s.type, content, shared },
          ...{ status: active === 1 ? "available" : "unknown", maxdisk: total, disk: used },
        };
      }),
  );
  if (type === "vm") return vms;
  if (type === "node") return nodes;
  if (type === "storage") return storages;
  return [...vms, ...nodes, ...storages];
}

const listNode = (call: Call, n: LabNode): Record<string, unknown> => ({
  node: n.name,
  type: "node",
  id: `node/${n.name}`,
  status: "online",
  level: "",
  maxcpu: n.cores * n.sockets,
  cpu: 0.02,
  maxmem: n.memoryMiB * 1024 ** 2,
  mem: usedMemory(call.pve, n.name),
  uptime: 86400,
});

function nodeStatus(call: Call): unknown {
  const n = nodeOf(call.pve, required(call, "node"));
  const total = n.memoryMiB * 1024 ** 2;
  const used = usedMemory(call.pve, n.name);
  return {
    cpu: 0.02,
    cpuinfo: { cores: n.cores, cpus: n.cores * n.sockets, sockets: n.sockets, model: n.cpu },
    memory: { total, used, free: total - used },
    pveversion: `pve-manager/${VERSION.version}/${VERSION.repoid}`,
    kversion: "Linux 6.8.12-9-pve",
    uptime: 86400,
  };
}

/** As the real list: newest first, without parameters those that ended. */
function listTasks(call: Call): unknown {
  const node = nodeOf(call.pve, required(call, "node")).name;
  const { source = "archive", typefilter, vmid, limit = "50" } = call.parameters;
  const listed = call.pve.state.tasks.filter(
    (task) =>
      task.node === node &&
      (source === "all" || (source === "active") === (task.exitstatus === undefined)) &&
      (typefilter === undefined || task.type === typefilter) &&
      (vmid === undefined || task.id === vmid),
  );
  const shown = listed.toReversed().slice(0, Number(limit));
  return shown.map(({ upid, type, id, user, pid, starttime, endtime, exitstatus }) => ({
    ...{ upid, node, type, id, user, pid, pstart: pid * 7, starttime },
    ...(exitstatus === undefined ? {} : { endtime, status: exitstatus }),
  }));
}

function pool(call: Call) {
  const found = call.pve.state.pools.find((p) => p.poolid === (call.path["poolid"] ?? call.parameters["poolid"]));
  if (!found) throw new PveError(500, `no such pool '${required(call, "poolid")}'`);
  return found;
}

const poolMembers = (call: Call, members: readonly number[]) =>
  call.pve.state.vms.filter((vm) => members.includes(vm.vmid)).map((vm) => ({ id: `qemu/${vm.vmid}`, type: "qemu", node: vm.node, vmid: vm.vmid }));

/** Adds the VMs of `vms`, or removes them with `delete`. A member of another pool is added only with `allow-move`. */
function changePool(call: Call): void {
  const found = pool(call);
  const { vms = "", comment, delete: remove, "allow-move": move } = call.parameters;
  for (const vmid of vms
    .split(",")
    .filter((id) => id !== "")
    .map(Number)) {
    if (!call.pve.state.vms.some((vm) => vm.vmid === vmid)) throw new PveError(500, `update pools failed: VM ${vmid} doesn't exist`);
    const current = call.pve.state.pools.find((p) => p.members.includes(vmid));
    if (remove === "1") {
      if (current !== found) throw new PveError(500, `update pools failed: VM ${vmid} is not a pool member`);
      found.members = found.members.filter((member) => member !== vmid);
    } else {
      if (current === found) throw new PveError(500, `update pools failed: VM ${vmid} is already a pool member`);
      if (current !== undefined && move !== "1")
        throw new PveError(500, `update pools failed: VM ${vmid} belongs already to pool '${current.poolid}' and allow-move is not set`);
      if (current !== undefined) current.members = current.members.filter((member) => member !== vmid);
      found.members.push(vmid);
    }
  }
  if (comment !== undefined) found.comment = comment;
  recordWrite(call, found.poolid, "pool-update");
}

export const CLUSTER_ROUTES: readonly Route[] = [
  route("GET", "/version", [], () => VERSION),
  route("GET", "/cluster/nextid", ["vmid"], nextId),
  route("GET", "/cluster/resources", ["type"], resources),
  route("GET", "/cluster/status", [], ({ pve: { site } }) => [
    { type: "cluster", id: "cluster", name: site.proxmox.cluster, nodes: site.nodes.length, quorate: 1, version: 3 },
    ...site.nodes.map((n, i) => ({ type: "node", id: `node/${n.name}`, name: n.name, nodeid: i + 1, online: 1, local: i === 0 ? 1 : 0 })),
  ]),
  route("GET", "/cluster/options", [], () => ({ keyboard: "en-us" })),
  route("GET", "/cluster/ha/resources", [], () => []),
  route("GET", "/cluster/ha/resources/{sid}", [], (call) => {
    throw new PveError(500, `no such resource '${required(call, "sid")}'`);
  }),
  route("GET", "/nodes", [], (call) => call.pve.site.nodes.map((n) => listNode(call, n))),
  route("GET", "/nodes/{node}/status", [], nodeStatus),
  route("GET", "/nodes/{node}/version", [], () => VERSION),
  route("GET", "/nodes/{node}/time", [], (call) => ({
    timezone: "Etc/UTC",
    time: Math.floor(call.pve.ctx.clock.now() / 1000),
    localtime: Math.floor(call.pve.ctx.clock.now() / 1000),
  })),
  route("GET", "/nodes/{node}/dns", [], ({ pve: { site } }) => ({ search: site.domain, dns1: site.proxmox.nameserver })),
  route("GET", "/nodes/{node}/tasks", ["source", "typefilter", "vmid", "limit"], listTasks),
  route("GET", "/nodes/{node}/tasks/{upid}/status", [], (call) => taskStatus(findTask(call.pve, required(call, "node"), required(call, "upid")))),
  route("GET", "/nodes/{node}/tasks/{upid}/log", ["limit"], (call) =>
    findTask(call.pve, required(call, "node"), required(call, "upid"))
      .log.slice(0, Number(call.parameters["limit"] ?? 50))
      .map((t, i) => ({ n: i + 1, t })),
  ),
  route("DELETE", "/nodes/{node}/tasks/{upid}", [], (call) => stopTask(call.pve, findTask(call.pve, required(call, "node"), required(call, "upid")))),
  route("GET", "/access/permissions", [], () => ({
    "/": {
      "Sys.Audit": 1,
      "Sys.Modify": 1,
      "VM.Allocate": 1,
      "VM.Audit": 1,
      "VM.Clone": 1,
      "VM.Config.CPU": 1,
      "VM.Config.Cloudinit": 1,
      "VM.Config.Disk": 1,
      "VM.Config.HWType": 1,
      "VM.Config.Memory": 1,
      "VM.Config.Network": 1,
      "VM.Config.Options": 1,
      "VM.PowerMgmt": 1,
      "Datastore.Allocate": 1,
      "Datastore.AllocateSpace": 1,
      "Datastore.AllocateTemplate": 1,
      "Datastore.Audit": 1,
      "SDN.Use": 1,
    },
  })),
  route("GET", "/pools", ["poolid"], (call) => {
    const { poolid } = call.parameters;
    const found = call.pve.state.pools.filter((p) => poolid === undefined || p.poolid === poolid);
    return found.map((p) => ({ poolid: p.poolid, comment: p.comment, ...(poolid === undefined ? {} : { members: poolMembers(call, p.members) }) }));
  }),
  route("GET", "/pools/{poolid}", [], (call) => ({ comment: pool(call).comment, members: poolMembers(call, pool(call).members) })),
  route("POST", "/pools", ["poolid", "comment"], (call) => {
    const { poolid = "", comment } = call.parameters;
    if (call.pve.state.pools.some((p) => p.poolid === poolid)) throw new PveError(500, `create pool failed: pool '${poolid}' already exists`);
    call.pve.state.pools.push({ poolid, members: [], ...(comment === undefined ? {} : { comment }) });
    recordWrite(call, poolid, "pool-create");
  }),
  route("PUT", "/pools/{poolid}", ["vms", "comment", "delete", "allow-move"], changePool),
  route("DELETE", "/pools/{poolid}", [], (call) => {
    const found = pool(call);
    if (found.members.length > 0) throw new PveError(500, `delete pool failed: pool '${found.poolid}' is not empty (contains VM ${found.members.join(", ")})`);
    call.pve.state.pools = call.pve.state.pools.filter((p) => p !== found);
    recordWrite(call, found.poolid, "pool-delete");
  }),
];
