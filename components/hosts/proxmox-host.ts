import { FileLegacy } from "@muhlba91/pulumi-proxmoxve/download/fileLegacy";
import { Bridge } from "@muhlba91/pulumi-proxmoxve/network/linux/bridge";
import { VmLegacy } from "@muhlba91/pulumi-proxmoxve/vmLegacy";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../base/component";
import type { BridgeSpec } from "./node-spec";
import { notCompared } from "./vm";

/** A file at a URL that always gives the same bytes. */
interface PinnedFile {
  url: string;
  sha256: string;
  /** Name in the datastore. */
  fileName: string;
  /** Datastore of the node that takes files of this kind. */
  datastore: string;
}

export interface ProxmoxHostArgs {
  /** Name of the node in the Proxmox cluster. */
  node: string;
  /** Bridges to make. Default none: existing ones are used. */
  bridges?: readonly BridgeSpec[];
  /** Storages that the program makes, and that must exist first. Default none. */
  storages?: readonly pulumi.Resource[];
  /** Bridge of the template. */
  bridge: string;
  /** Cloud image; its name ends in .qcow2, since Proxmox tells an image's format by it. */
  image: PinnedFile;
  /** ISOs for VMs with an ISO drive. Default none. */
  isos?: readonly PinnedFile[];
  templateName: string;
  templateId: number;
  templateStorage: string;
}

/** Smallest disk that the cloud image fits on; clones grow it. */
const TEMPLATE_DISK_GIB = 8;

/** A Proxmox node made ready for VMs: its bridges, the cloud image on it, and the template that its VMs are cloned from. */
export class ProxmoxHost extends Component {
  /** Proxmox id of the template; known once it is built. */
  readonly templateId: pulumi.Output<number>;

  constructor(name: string, args: ProxmoxHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hosts:ProxmoxHost", name, opts);
    const bridges = (args.bridges ?? []).map((spec) => this.#bridge(`${name}-${spec.name}`, args.node, spec));
    const storages = [...(args.storages ?? [])];
    const download = (role: string, contentType: "import" | "iso", file: PinnedFile) =>
      new FileLegacy(
        `${name}-${role}`,
        {
          nodeName: args.node,
          datastoreId: file.datastore,
          contentType,
          url: file.url,
          fileName: file.fileName,
          checksum: file.sha256,
          checksumAlgorithm: "sha256",
          overwrite: false,
        },
        this.child({ dependsOn: storages, customTimeouts: timeouts(30) }),
      );
    const image = download("image", "import", args.image);
    for (const iso of args.isos ?? []) download(`iso-${iso.fileName}`, "iso", iso);
    const disk = { interface: "scsi0", datastoreId: args.templateStorage, importFrom: image.id, size: TEMPLATE_DISK_GIB, fileFormat: "raw" };
    const template = new VmLegacy(
      `${name}-template`,
      {
        nodeName: args.node,
        vmId: args.templateId,
        name: args.templateName,
        description: "Ubuntu cloud image; VMs are cloned from it",
        tags: ["homelab", "template"],
        template: true,
        started: false,
        onBoot: false,
        cpu: { cores: 1, sockets: 1, type: "host" },
        memory: { dedicated: 1024 },
        scsiHardware: "virtio-scsi-single",
        disks: [disk],
        networkDevices: [{ bridge: args.bridge, model: "virtio", firewall: false }],
        bootOrders: ["scsi0"],
        agent: { enabled: true },
        serialDevices: [{ device: "socket" }],
        operatingSystem: { type: "l26" },
      },
      this.child({
        // VMs wait for the template, and so for all that it waits for.
        dependsOn: [...bridges, ...storages],
        customTimeouts: timeouts(15),
        ignoreChanges: ["networkDevices[0].macAddress", ...notCompared([disk])],
      }),
    );
    this.templateId = template.vmId;
    this.registerOutputs({ templateId: this.templateId });
  }

  #bridge(name: string, node: string, { adopt, ports, ...spec }: BridgeSpec): Bridge {
    const id = `${node}:${spec.name}`;
    // Without the bridge that has its gateway the node cannot be reached. So that one stays when it is removed from the program.
    const isKept = adopt === true || spec.gateway !== undefined || spec.gateway6 !== undefined;
    return new Bridge(
      name,
      { nodeName: node, ...spec, ...(ports === undefined ? {} : { ports: [...ports] }) },
      this.child<pulumi.CustomResourceOptions>({ retainOnDelete: isKept, ...(adopt === true ? { import: id } : {}) }),
    );
  }
}
