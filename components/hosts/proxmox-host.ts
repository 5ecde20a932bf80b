import { FileLegacy } from "@muhlba91/pulumi-proxmoxve/download/fileLegacy";
import type { Provider } from "@muhlba91/pulumi-proxmoxve/provider";
import { VmLegacy } from "@muhlba91/pulumi-proxmoxve/vmLegacy";
import type * as pulumi from "@pulumi/pulumi";
import { Component, timeouts } from "../base/component";
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

/** A Proxmox node made ready for VMs: the cloud image on it, and the template that its VMs are cloned from. */
export class ProxmoxHost extends Component {
  /** Proxmox id of the template; known once it is built. */
  readonly templateId: pulumi.Output<number>;

  constructor(name: string, args: ProxmoxHostArgs, provider: Provider, opts?: pulumi.ComponentResourceOptions) {
    super("hosts:ProxmoxHost", name, opts);
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
        this.child({ provider, customTimeouts: timeouts(30) }),
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
      this.child({ provider, customTimeouts: timeouts(15), ignoreChanges: ["networkDevices[0].macAddress", ...notCompared([disk])] }),
    );
    this.templateId = template.vmId;
    this.registerOutputs({ templateId: this.templateId });
  }
}
