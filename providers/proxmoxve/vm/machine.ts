/** One VM on one node: its calls, its power and its guest agent. */
import { startDeadline, withinTime } from "../../../common/deadline";
import { HomelabError } from "../../../common/errors";
import type { CallContext } from "../../sdk/resource";
import type { Json, JsonObject } from "../../sdk/values";
import { asRecord, type Params, type PveClient, PveError } from "../client";
import type { PveConfig } from "./config";
import type { Vm } from "./inputs";

/** `15m`, `90s`, `1h30m` → milliseconds */
function durationMs(text: string): number {
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/** For how long the agent of a VM is asked that has been running for longer than is waited. */
const SHORTEST_LOOK_MS = 5_000;

interface Address {
  name: string;
  mac: string;
  ipv4: string[];
  ipv6: string[];
}

/** Whether others can reach the guest by this address: not a loopback or link-local one. */
const isReachable = (address: string): boolean => !/^(127\.|169\.254\.|0\.|::1$|fe80:|ff)/i.test(address);

function addressesOf(answer: Json): Address[] {
  const interfaces = asRecord(answer)["result"];
  return (Array.isArray(interfaces) ? interfaces : []).map((raw) => {
    const nic = asRecord(raw);
    const listed = Array.isArray(nic["ip-addresses"]) ? nic["ip-addresses"].map(asRecord) : [];
    const of = (type: string): string[] => listed.filter((a) => a["ip-address-type"] === type).map((a) => String(a["ip-address"] ?? ""));
    return { name: String(nic["name"] ?? ""), mac: String(nic["hardware-address"] ?? ""), ipv4: of("ipv4"), ipv6: of("ipv6") };
  });
}

export class Machine {
  readonly #base: string;

  constructor(
    private readonly client: PveClient,
    readonly node: string,
    readonly id: number,
    private readonly call: CallContext,
  ) {
    this.#base = `nodes/${node}/qemu/${id}`;
  }

  /** The configuration as it will be after the next start. undefined: no such VM. */
  async config(): Promise<PveConfig | undefined> {
    const found = await this.#find(`${this.#base}/config`);
    return found && Object.fromEntries(Object.entries(found).map(([key, value]) => [key, String(value)]));
  }

  async status(): Promise<JsonObject | undefined> {
    return this.#find(`${this.#base}/status/current`);
  }

  async isRunning(): Promise<boolean> {
    return (await this.status())?.["status"] === "running";
  }

  async #find(path: string): Promise<JsonObject | undefined> {
    try {
      return asRecord(await this.client.request("GET", path, this.call.signal));
    } catch (thrown) {
      if (thrown instanceof PveError && thrown.missing) return undefined;
      throw thrown;
    }
  }

  /** Sets and removes keys of the configuration. */
  async configure(params: Params, remove: readonly string[] = []): Promise<void> {
    if (Object.keys(params).length === 0 && remove.length === 0) return;
    await this.client.request("PUT", `${this.#base}/config`, this.call.signal, { ...params, ...(remove.length > 0 ? { delete: remove.join(",") } : {}) });
  }

  async task(method: "POST" | "PUT", what: string, params: Params, timeoutMs?: number): Promise<void> {
    const work = (signal: AbortSignal) => this.client.task(method, `${this.#base}/${what}`, signal, params);
    if (timeoutMs === undefined) return work(this.call.signal);
    return withinTime(this.call.signal, timeoutMs, () => this.#late(`${what} of VM ${this.id} on ${this.node} did not end within ${timeoutMs / 1000} s`), work);
  }

  #late(what: string, hint?: string): HomelabError {
    return new HomelabError("E_PROXMOX_TIMEOUT", `Proxmox: ${what}`, hint === undefined ? {} : { hint });
  }

  /** Waits until no other operation holds it. */
  async unlocked(): Promise<void> {
    await this.client.poll(this.call.signal, async () => {
      const status = await this.status();
      return status !== undefined && (status["lock"] === undefined || status["lock"] === "" || status["lock"] === null) ? true : undefined;
    });
  }

  async start(vm: Vm): Promise<void> {
    if (await this.isRunning()) return;
    await this.task("POST", "status/start", { timeout: vm.timeoutStartVm }, vm.timeoutStartVm * 1000);
    await this.#reach("running", vm.timeoutStartVm);
  }

  /** @param hard without asking the guest */
  async stop(vm: Vm, hard: boolean): Promise<void> {
    if (!(await this.isRunning())) return;
    if (hard) {
      await this.task("POST", "status/stop", {}, vm.timeoutStopVm * 1000);
      await this.#reach("stopped", vm.timeoutStopVm);
    } else {
      await this.task("POST", "status/shutdown", { forceStop: true, timeout: vm.timeoutShutdownVm }, (vm.timeoutShutdownVm + 60) * 1000);
      await this.#reach("stopped", vm.timeoutShutdownVm);
    }
  }

  /** @throws HomelabError E_PROXMOX_TIMEOUT where it does not come back within `timeoutReboot` */
  async restart(vm: Vm): Promise<void> {
    const late = () =>
      this.#late(
        `VM ${this.id} on ${this.node} did not restart within ${vm.timeoutReboot} s`,
        "look at the VM's console in Proxmox; timeoutReboot says how long is waited",
      );
    await withinTime(this.call.signal, vm.timeoutReboot * 1000, late, async (signal) => {
      const machine = new Machine(this.client, this.node, this.id, { ...this.call, signal });
      await machine.stop(vm, !vm.agent.enabled);
      await machine.start(vm);
    });
  }

  async #reach(state: string, seconds: number): Promise<void> {
    const late = () => this.#late(`VM ${this.id} on ${this.node} was not ${state} after ${seconds} s`);
    const look = async () => ((await this.status())?.["status"] === state ? true : undefined);
    await withinTime(this.call.signal, seconds * 1000, late, (signal) => this.client.poll(signal, look));
  }

  /**
   * The addresses that the guest agent reports, once others can reach one of them. Undefined where it reports none in time, which is a
   * warning and no failure. The time counts from the VM's start: a guest without an agent does not hold up each later run for as long again.
   * @param upSeconds for how long the VM has been running
   */
  async addresses(agent: Vm["agent"], upSeconds: number): Promise<Address[] | undefined> {
    const wait = agent.waitForIp;
    if (wait?.disabled === true) return undefined;
    const timeout = durationMs(agent.timeout);
    const left = Math.max(timeout - upSeconds * 1000, Math.min(timeout, SHORTEST_LOOK_MS));
    const { signal, end } = startDeadline(this.call.signal, left, () => this.#late("the guest agent reported no address"));
    const wanted = (found: Address[]): boolean => {
      const others = found.filter(({ name }) => name !== "lo");
      const [v4, v6] = [others.some((nic) => nic.ipv4.some(isReachable)), others.some((nic) => nic.ipv6.some(isReachable))];
      return wait?.ipv4 === true || wait?.ipv6 === true ? (!wait.ipv4 || v4) && (!wait.ipv6 || v6) : v4 || v6;
    };
    try {
      return await this.client.poll(signal, async () => {
        const found = await this.#agentAddresses(signal);
        return wanted(found) ? found : undefined;
      });
    } catch (thrown) {
      if (this.call.signal.aborted || !signal.aborted) throw thrown;
      this.call.log(
        "warning",
        `the guest agent of VM ${this.id} reported no address within ${agent.timeout} after its start: is qemu-guest-agent installed and running?`,
      );
      return undefined;
    } finally {
      end();
    }
  }

  async #agentAddresses(signal: AbortSignal): Promise<Address[]> {
    try {
      return addressesOf(await this.client.request("GET", `${this.#base}/agent/network-get-interfaces`, signal));
    } catch (thrown) {
      // Until the guest is up, the answer is an error of the 500s.
      if (thrown instanceof PveError && thrown.status >= 500) return [];
      throw thrown;
    }
  }
}
