/**
 * A small part of the Proxmox VE API over HTTP, for tests of clients. It stores configurations as Proxmox does, and its tasks have ended
 * at the second poll. The lab has the full model; this one can fail at any call.
 */
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { FakeNetwork, FakeStorages } from "./fake-pve-node";

interface FakeVm {
  node: string;
  config: Record<string, string>;
  running: boolean;
  lock: number;
}

export interface FakePve {
  endpoint: string;
  /** `METHOD path?params` of each call, without polls of tasks and states. */
  calls: string[];
  vms: Map<number, FakeVm>;
  files: Map<string, number>;
  /** The pool of each VM that is in one. */
  pools: Map<number, string>;
  /** The network, which is the same for every node. */
  network: FakeNetwork;
  storages: FakeStorages;
  /** Gives this answer to the first call that matches, once. */
  failNext(match: RegExp, answer: { status: number; message: string } | { task: string }): void;
  /** Makes the task of the first call that matches never end. */
  hangNext(match: RegExp): void;
  /** The address that every guest agent reports. */
  agentAddress: string | undefined;
  /** Seconds since each running VM was started. */
  uptime: number;
  close(): Promise<void>;
}

export const FAKE_TOKEN = "root@pam!homelab=11111111-2222-3333-4444-555555555555";

class PveFault extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

type Params = Record<string, string>;

class State {
  readonly calls: string[] = [];
  readonly vms = new Map<number, FakeVm>();
  readonly files = new Map<string, number>();
  readonly pools = new Map<number, string>();
  readonly network = new FakeNetwork();
  readonly storages = new FakeStorages();
  readonly faults: { match: RegExp; answer: { status: number; message: string } | { task: string; looks?: number } }[] = [];
  readonly tasks = new Map<string, { looks: number; exit: string }>();
  agentAddress: string | undefined = "10.0.0.5";
  uptime = 1;
  #task = 0;
  #mac = 0;

  /** @returns the reply's body */
  handle(method: string, path: string, params: Params): unknown {
    const look = method === "GET" && /^cluster\/|\/tasks$|\/(tasks|status|agent)\//.test(path);
    const label = `${method} ${path}${Object.keys(params).length > 0 ? `?${new URLSearchParams(params)}` : ""}`;
    if (!look) this.calls.push(label);
    const fault = this.faults.findIndex(({ match }) => match.test(label));
    const [found] = fault < 0 ? [] : this.faults.splice(fault, 1);
    if (found !== undefined && "status" in found.answer) throw new PveFault(found.answer.status, found.answer.message);
    const node = this.#node(method, path, params);
    if (typeof node === "object") return node;
    const answer = node ?? this.#route(method, path, params);
    if (found !== undefined && "task" in found.answer && typeof answer === "string")
      this.tasks.set(answer, { looks: found.answer.looks ?? 1, exit: found.answer.task });
    return { data: answer };
  }

  /** @returns an answer, or the task of a reload */
  #node(method: string, path: string, params: Params): object | string | undefined {
    const answer = this.storages.handle(method, path, params);
    if (typeof answer === "string") throw new PveFault(500, answer);
    if (answer !== undefined) return answer;
    const [, node = "", rest = ""] = /^nodes\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const network = this.network.handle(method, rest, params);
    return network === "reload" ? this.#newTask(node, "srvreload", "networking") : network;
  }

  #newTask(node: string, kind: string, id: string): string {
    const upid = `UPID:${node}:0000${(++this.#task).toString(16).padStart(4, "0")}:00000001:65000000:${kind}:${id}:root@pam!homelab:`;
    this.tasks.set(upid, { looks: 1, exit: "OK" });
    return upid;
  }

  #vm(node: string, id: string): FakeVm {
    const vm = this.vms.get(Number(id));
    if (vm === undefined || vm.node !== node) throw new PveFault(500, `Configuration file 'nodes/${node}/qemu-server/${id}.conf' does not exist`);
    return vm;
  }

  /** Allocates volumes and generates MAC addresses, as Proxmox does when it stores a value. */
  #store(id: number, config: Record<string, string>, params: Params): void {
    for (const [key, raw] of Object.entries(params)) {
      if (["vmid", "pool", "delete", "newid", "full", "storage", "target"].includes(key)) continue;
      config[key] = this.#stored(id, key, raw);
    }
    for (const key of (params["delete"] ?? "").split(",")) delete config[key];
  }

  #stored(id: number, key: string, raw: string): string {
    if (/^net\d+$/.test(key)) {
      const [, model = "virtio"] = /model=(\w+)/.exec(raw) ?? [];
      const [, mac] = /macaddr=([^,]+)/.exec(raw) ?? [];
      const rest = raw.split(",").filter((part) => !/^(model|macaddr)=/.test(part));
      return [`${model}=${mac ?? `BC:24:11:00:00:${(++this.#mac).toString(16).padStart(2, "0").toUpperCase()}`}`, ...rest].join(",");
    }
    if (!/^(ide|sata|scsi|virtio)\d+$/.test(key)) return raw;
    const parts = raw
      .replace(/^file=/, "")
      .split(",")
      .filter((part) => !part.startsWith("import-from="));
    const [volume = "", ...options] = parts;
    const [, store, allocation] = /^([^:/]+):(cloudinit|\d+)$/.exec(volume) ?? [];
    if (store === undefined) return [volume, ...options].join(",");
    if (allocation === "cloudinit") return [`${store}:vm-${id}-cloudinit`, "media=cdrom", ...options].join(",");
    const size = allocation === "0" ? "3G" : `${allocation}G`;
    return [`${store}:vm-${id}-disk-${key.replace(/\D/g, "")}`, ...options, `size=${size}`].join(",");
  }

  #route(method: string, path: string, params: Params): unknown {
    if (path === "cluster/nextid") return String(100 + this.vms.size);
    if (path === "cluster/resources") return [...this.vms].map(([vmid, vm]) => ({ vmid, node: vm.node, type: "qemu", pool: this.pools.get(vmid) }));
    if (/^nodes\/[^/]+\/tasks$/.test(path)) return [];
    const [, pool] = /^pools\/([^/]+)$/.exec(path) ?? [];
    if (pool !== undefined && method === "PUT") {
      if (params["delete"] === "1") this.pools.delete(Number(params["vms"]));
      else this.pools.set(Number(params["vms"]), pool);
      return null;
    }
    const task = /^nodes\/[^/]+\/tasks\/([^/]+)\/(status|log)$/.exec(path);
    if (task !== null) return this.#taskAnswer(decodeURIComponent(task[1] ?? ""), task[2] ?? "");
    const storage = /^nodes\/([^/]+)\/storage\/([^/]+)\/(.+)$/.exec(path);
    if (storage !== null) return this.#storage(method, storage[1] ?? "", storage[2] ?? "", storage[3] ?? "", params);
    const vm = /^nodes\/([^/]+)\/qemu(?:\/(\d+)(?:\/(.+))?)?$/.exec(path);
    if (vm !== null) return this.#qemu(method, vm[1] ?? "", vm[2], vm[3] ?? "", params);
    throw new PveFault(501, `Method '${method} /${path}' not implemented`);
  }

  #taskAnswer(upid: string, what: string): unknown {
    const task = this.tasks.get(upid);
    if (task === undefined) throw new PveFault(500, "no such task");
    if (what === "log")
      return [
        { n: 1, t: "starting" },
        { n: 2, t: `TASK ERROR: ${task.exit}` },
      ];
    return task.looks-- > 0 ? { status: "running" } : { status: "stopped", exitstatus: task.exit };
  }

  #storage(method: string, node: string, store: string, what: string, params: Params): unknown {
    if (what === "status") return { shared: 0 };
    if (what === "download-url") {
      const volume = `${store}:${params["content"]}/${params["filename"]}`;
      if (this.files.has(volume)) throw new PveFault(400, `refusing to override existing file '${params["filename"]}'`);
      this.files.set(volume, 1234);
      return this.#newTask(node, "download", params["filename"] ?? "");
    }
    if (what === "content") return [...this.files].map(([volid, size]) => ({ volid, size }));
    if (method === "DELETE" && this.files.delete(decodeURIComponent(what.replace("content/", "")))) return this.#newTask(node, "imgdel", "");
    throw new PveFault(500, "no such volume: does not exist");
  }

  #qemu(method: string, node: string, id: string | undefined, what: string, params: Params): unknown {
    if (id === undefined) {
      const vmid = Number(params["vmid"]);
      const vm: FakeVm = { node, config: {}, running: false, lock: 0 };
      this.#store(vmid, vm.config, params);
      this.vms.set(vmid, vm);
      return this.#newTask(node, "qmcreate", String(vmid));
    }
    const vm = this.#vm(node, id);
    if (what === "config" && method === "GET") return { ...vm.config, digest: "abc" };
    if (what === "config") {
      this.#store(Number(id), vm.config, params);
      return null;
    }
    if (what === "status/current")
      return { status: vm.running ? "running" : "stopped", uptime: vm.running ? this.uptime : 0, ...(vm.lock-- > 0 ? { lock: "clone" } : {}) };
    if (what === "agent/network-get-interfaces") {
      if (this.agentAddress === undefined) throw new PveFault(500, "QEMU guest agent is not running");
      const loopback = { name: "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4" }] };
      const nic = { name: "eth0", "hardware-address": "bc:24:11:00:00:01", "ip-addresses": [{ "ip-address": this.agentAddress, "ip-address-type": "ipv4" }] };
      return { result: [loopback, nic] };
    }
    return this.#act(method, node, id, vm, what, params);
  }

  #act(method: string, node: string, id: string, vm: FakeVm, what: string, params: Params): unknown {
    if (method === "DELETE" && what === "") {
      if (vm.running) throw new PveFault(500, `VM ${id} is running - destroy failed`);
      this.vms.delete(Number(id));
      return this.#newTask(node, "qmdestroy", id);
    }
    if (what === "clone") {
      const vmid = Number(params["newid"]);
      const config = Object.fromEntries(Object.entries(vm.config).map(([key, value]) => [key, value.replaceAll(`vm-${id}-`, `vm-${vmid}-`)]));
      delete config["template"];
      if (params["description"] !== undefined) config["description"] = params["description"];
      this.vms.set(vmid, { node: params["target"] ?? node, config: { ...config, name: params["name"] ?? "" }, running: false, lock: 1 });
      return this.#newTask(node, "qmclone", id);
    }
    if (what === "resize") vm.config[params["disk"] ?? ""] = (vm.config[params["disk"] ?? ""] ?? "").replace(/size=\w+/, `size=${params["size"]}`);
    else if (what === "move_disk") vm.config[params["disk"] ?? ""] = (vm.config[params["disk"] ?? ""] ?? "").replace(/^[^:]+/, params["storage"] ?? "");
    else if (what === "template") vm.config["template"] = "1";
    else if (what === "status/start") vm.running = true;
    else if (what === "status/stop" || what === "status/shutdown") vm.running = false;
    else throw new PveFault(501, `Method '${method} ${what}' not implemented`);
    return this.#newTask(node, `qm${what.replace("status/", "")}`, id);
  }
}

export async function startFakePve(): Promise<FakePve> {
  const state = new State();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://pve");
      const params = { ...Object.fromEntries(url.searchParams), ...Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString("utf8"))) };
      const send = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      if (request.headers.authorization !== `PVEAPIToken=${FAKE_TOKEN}`) return send(401, { data: null, message: "invalid token" });
      try {
        return send(200, state.handle(request.method ?? "", url.pathname.replace("/api2/json/", ""), params));
      } catch (thrown) {
        if (thrown instanceof PveFault) return send(thrown.status, { data: null, message: `${thrown.message}\n` });
        return send(500, { data: null, message: String(thrown) });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failNext: (match: RegExp, answer: { status: number; message: string } | { task: string }) => {
      state.faults.push({ match, answer });
    },
    hangNext: (match: RegExp) => {
      state.faults.push({ match, answer: { task: "OK", looks: Number.POSITIVE_INFINITY } });
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
