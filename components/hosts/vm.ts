import { VmLegacy, type VmLegacyArgs } from "@muhlba91/pulumi-proxmoxve/vmLegacy";
import type { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { after, Component, timeouts } from "../base/component";
import type { HostAccess, HostConnectionArgs } from "./connection";
import { hostReady } from "./host-ready";
import type { VmPassthrough, VmSpec } from "./vm-spec";

export interface VmArgs {
  spec: VmSpec;
  /** Id of the template on the VM's node. */
  templateId: pulumi.Input<number>;
  /** User of VMs whose definition names none. */
  user: string;
  /** Public keys that may log in on every VM. */
  operatorKeys: readonly string[];
  /** The stack that the VM belongs to; becomes a tag. */
  stack: string;
  /** Refuses to delete or replace the VM. Default false. */
  protect?: boolean;
  /** How its host is reached, to wait for it after it was made or restarted. Left out: nothing waits. */
  ready?: { access: HostAccess; checkout: string };
}

/**
 * Paths of fields that a disk leaves out and that are ignored in the comparison. The official plugin fills in values that Proxmox does
 * not have, so that each run would update the VM: speed limits of 0, and 8 GiB for a device of the host, whatever its size.
 */
export function notCompared(disks: readonly VmDisk[]): string[] {
  return disks.flatMap(({ size, speed }, i) => [...(speed === undefined ? [`disks[${i}].speed`] : []), ...(size === undefined ? [`disks[${i}].size`] : [])]);
}

/** How often a clone is retried while another clone holds the template's lock. */
const CLONE_RETRIES = 10;

type VmDisk = NonNullable<VmLegacyArgs["disks"]> extends pulumi.Input<infer L> ? (L extends pulumi.Input<infer D>[] ? D : never) : never;

/**
 * A device of the host: a path without a datastore, or cut at its first colon, where it has one (`/dev/disk/by-id/usb-…-0:0`). The
 * official plugin puts the two together with a colon and cuts what it reads there, so only this comes back as it was given.
 */
function passthroughDisk(disk: VmPassthrough): VmDisk {
  const colon = disk.device.indexOf(":");
  return {
    interface: disk.interface,
    datastoreId: disk.device.slice(0, Math.max(colon, 0)),
    pathInDatastore: disk.device.slice(colon + 1),
    // Set explicitly: otherwise the official plugin asks the datastore for it, and a device has none.
    fileFormat: "raw",
    ...(disk.backup === undefined ? {} : { backup: disk.backup }),
    ...(disk.replicate === undefined ? {} : { replicate: disk.replicate }),
    ...(disk.discard === undefined ? {} : { discard: disk.discard ? "on" : "ignore" }),
    ...(disk.emulateSsd === undefined ? {} : { ssd: disk.emulateSsd }),
    ...(disk.ioThread === undefined ? {} : { iothread: disk.ioThread }),
    ...(disk.sizeGiB === undefined ? {} : { size: disk.sizeGiB }),
    ...(disk.speed === undefined ? {} : { speed: { ...disk.speed } }),
  };
}

function initialization(args: VmArgs): NonNullable<VmLegacyArgs["initialization"]> {
  const { cloudInit } = args.spec;
  const { ipv4, ipv6 } = cloudInit;
  return {
    datastoreId: cloudInit.storage,
    interface: cloudInit.interface,
    ipConfigs: [
      {
        ipv4: { address: `${ipv4.address}/${ipv4.prefix}`, ...(ipv4.gateway === undefined ? {} : { gateway: ipv4.gateway }) },
        ...(ipv6 === undefined ? {} : { ipv6: { address: ipv6.address, ...(ipv6.gateway === undefined ? {} : { gateway: ipv6.gateway }) } }),
      },
    ],
    userAccount: { username: cloudInit.user ?? args.user, keys: [...new Set([...args.operatorKeys, ...cloudInit.sshKeys])] },
    ...(cloudInit.nameservers.length === 0 ? {} : { dns: { servers: [...cloudInit.nameservers] } }),
  };
}

function vmDisks(spec: VmSpec): VmDisk[] {
  const own = spec.disks.map((disk) => ({
    interface: disk.interface,
    datastoreId: disk.storage,
    size: disk.sizeGiB,
    ...(disk.format === undefined ? {} : { fileFormat: disk.format }),
  }));
  return [...own, ...spec.passthrough.map(passthroughDisk)];
}

/** The provider's inputs for a VM definition. */
export function vmInputs(args: VmArgs): VmLegacyArgs {
  const { spec } = args;
  return {
    nodeName: spec.node,
    vmId: spec.vmId,
    name: spec.name,
    tags: ["homelab", args.stack],
    clone: { vmId: args.templateId, full: spec.fullClone, retries: CLONE_RETRIES },
    cpu: { cores: spec.cores, sockets: spec.sockets, type: spec.cpuType },
    memory: { dedicated: spec.memoryMiB },
    scsiHardware: spec.scsiHardware,
    disks: vmDisks(spec),
    ...(spec.cdrom === undefined ? {} : { cdrom: { interface: spec.cdrom.interface, fileId: spec.cdrom.file } }),
    initialization: initialization(args),
    networkDevices: [{ bridge: spec.network.bridge, model: spec.network.model, firewall: spec.network.firewall }],
    bootOrders: [...spec.bootOrder],
    // Nobody needs the agent's addresses, and a guest that has no agent yet, or does not boot, would hold up the run for 15 minutes. SSH says
    // when the host is ready (host-ready.ts).
    agent: { enabled: spec.agent, waitForIp: { disabled: true } },
    // Empty, not left out: the provider's default is a serial console.
    serialDevices: spec.serial ? [{ device: "socket" }] : [],
    ...(spec.args === undefined ? {} : { kvmArguments: spec.args }),
    operatingSystem: { type: "l26" },
    onBoot: spec.onBoot,
    started: spec.running,
    rebootAfterUpdate: spec.automaticReboot,
    // A guest that hangs must not keep the homelab from being destroyed.
    stopOnDestroy: true,
  };
}

/** A VM of the homelab: a clone of its node's template with the disks, network and first user of its definition. */
export class Vm extends Component {
  /** Address without prefix; known when the VM exists. */
  readonly address: pulumi.Output<string>;
  readonly vmId: pulumi.Output<number>;
  /** Identifies this VM: the MAC address that Proxmox generated. A VM rebuilt under the same id and address has another one. */
  readonly instance: pulumi.Output<string>;
  /** Exists once the host can be used; whatever works on the host depends on it. undefined for a VM that is off or not waited for. */
  readonly ready: Command | undefined;
  /** The host's SSH key as in known_hosts, as it was at its first boot; undefined where nothing waited for the host. */
  readonly hostKey: pulumi.Output<string> | undefined;

  constructor(name: string, args: VmArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hosts:Vm", name, opts);
    const vm = new VmLegacy(
      `${name}-vm`,
      vmInputs(args),
      this.child({
        protect: args.protect ?? false,
        // A new template is for new VMs only: it replaces no existing one. Proxmox generates the MAC address. The official plugin restarts a VM
        // for any change of `agent`, also for what only says how long it waits itself.
        ignoreChanges: ["clone", "networkDevices[0].macAddress", "agent.waitForIp", ...notCompared(vmDisks(args.spec))],
        // Both have the same name and address, so the old VM is deleted before the new one is made.
        deleteBeforeReplace: true,
        customTimeouts: timeouts(30),
      }),
    );
    this.vmId = vm.vmId;
    this.address = after(vm, args.spec.cloudInit.ipv4.address);
    // From the definition's card, not from the agent's list, where pods' interfaces come and go. `vm.id` makes it unknown until the VM exists.
    this.instance = pulumi.all([vm.id, vm.networkDevices]).apply(([, devices]) => devices[0]?.macAddress ?? "");
    const { ready, spec } = args;
    if (ready !== undefined && spec.running) {
      const connection = { ...ready.access, address: this.address };
      const host = hostReady(name, { spec, instance: this.instance, connection, checkout: ready.checkout }, this.child({ dependsOn: [vm] }));
      this.ready = host.ready;
      this.hostKey = host.hostKey;
    }
    this.registerOutputs({ address: this.address, vmId: this.vmId });
  }

  /** How the host is reached. The host key refuses another host that answers at its address. */
  connection(access: HostAccess): HostConnectionArgs {
    return { ...access, address: this.address, hostKey: this.hostKey };
  }
}
