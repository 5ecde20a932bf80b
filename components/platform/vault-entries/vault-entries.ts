import type * as pulumi from "@pulumi/pulumi";
import { output, secret } from "@pulumi/pulumi";
import { SecretV2 } from "@pulumi/vault/kv/secretV2";
import { Component } from "../../base/component";
import type { BuildModule } from "../context";

export interface VaultEntriesArgs {
  /** Path of the KV mount. */
  mount: pulumi.Input<string>;
  /**
   * What is no longer given stays in Vault until somebody deletes it there (`homelab vault orphans|delete`): a file that is
   * only missing must never empty Vault. Default false.
   */
  keepRemoved?: boolean;
  /** Which Vault it is, where another stack has it: a new one at the same address gets the entries anew. */
  vaultId?: pulumi.Input<string> | undefined;
  /** Path below the mount to keys and values. Values are secrets. */
  entries: ReadonlyMap<string, Readonly<Record<string, pulumi.Input<string>>>>;
}

/** Entries of Vault's KV store, one resource each: a change to one writes no other. */
export class VaultEntries extends Component {
  constructor(name: string, args: VaultEntriesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:VaultEntries", name, opts);
    for (const [path, values] of args.entries) {
      new SecretV2(
        `${name}-${path.replaceAll("/", "-")}`,
        {
          mount: args.mount,
          name: path,
          dataJson: secret(output(values).apply((plain) => JSON.stringify(plain))),
          // Older versions of a secret that is gone are gone too.
          deleteAllVersions: true,
        },
        this.child({
          additionalSecretOutputs: ["data"],
          retainOnDelete: args.keepRemoved === true,
          // One name: the old one goes before the new one comes, or it would take that with it.
          deleteBeforeReplace: true,
          ...(args.vaultId === undefined ? {} : { replacementTrigger: args.vaultId }),
        }),
      );
    }
    this.registerOutputs({ paths: [...args.entries.keys()] });
  }
}

export const buildVaultEntries: BuildModule<Record<string, never>> = (name, { context }, opts) => ({
  component: new VaultEntries(
    name,
    { mount: context.need("vault").mount, entries: context.programSecrets.all(), keepRemoved: true },
    // Its name until it became a module.
    { ...opts, aliases: [{ name: "secrets" }] },
  ),
});
