import { Directory } from "@muhlba91/pulumi-proxmoxve/storage/directory";
import { Lvm } from "@muhlba91/pulumi-proxmoxve/storage/lvm";
import { Lvmthin } from "@muhlba91/pulumi-proxmoxve/storage/lvmthin";
import { Zfspool } from "@muhlba91/pulumi-proxmoxve/storage/zfspool";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../base/component";
import type { StorageSpec } from "./node-spec";

export interface ProxmoxStorageArgs {
  spec: StorageSpec;
  /** The nodes that have it. */
  nodes: readonly string[];
}

/** An entry in the Proxmox cluster's list of storages. Its deletion deletes no data. */
export class ProxmoxStorage extends Component {
  readonly entry: pulumi.CustomResource;

  constructor(name: string, { spec, nodes }: ProxmoxStorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hosts:ProxmoxStorage", name, opts);
    const common = { resourceId: spec.name, contents: [...spec.contents], nodes: [...nodes] };
    const options = this.child<pulumi.CustomResourceOptions>({ ...(spec.adopt === true ? { import: spec.name, retainOnDelete: true } : {}) });
    this.entry = entryOf(`${name}-entry`, spec, common, options);
    this.registerOutputs({ name: spec.name });
  }
}

function entryOf(
  name: string,
  spec: StorageSpec,
  common: { resourceId: string; contents: string[]; nodes: string[] },
  options: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  switch (spec.type) {
    case "dir":
      // Each node has a directory of its own at that path; the provider's default is a shared one.
      return new Directory(name, { ...common, path: spec.path, shared: false }, options);
    case "lvm":
      return new Lvm(name, { ...common, volumeGroup: spec.volumeGroup }, options);
    case "lvmthin":
      return new Lvmthin(name, { ...common, volumeGroup: spec.volumeGroup, thinPool: spec.thinPool }, options);
    case "zfspool": {
      const { zfsPool, thinProvision, blocksize } = spec;
      return new Zfspool(
        name,
        { ...common, zfsPool, ...(thinProvision === undefined ? {} : { thinProvision }), ...(blocksize === undefined ? {} : { blocksize }) },
        options,
      );
    }
  }
}
