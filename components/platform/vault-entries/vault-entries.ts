import type * as pulumi from "@pulumi/pulumi";
import { InputPropertyError, output, secret } from "@pulumi/pulumi";
import { SecretV2 } from "@pulumi/vault/kv/secretV2";
import { sameName } from "../../../common/same-names";
import { Component } from "../../base/component";
import type { BuildModule } from "../context";

export interface VaultEntriesArgs {
  /** Path of the KV mount. */
  mount: pulumi.Input<string>;
  /**
   * true: an entry that is no longer given stays in Vault until somebody deletes it there (`homelab vault orphans|delete`), because a
   * missing file must never delete entries of Vault. Default false.
   */
  keepRemoved?: boolean;
  /** Identifies the Vault, where another stack runs it. A new Vault at the same address gets the entries again. */
  vaultId?: pulumi.Input<string> | undefined;
  /** Path below the mount to keys and values. Values are secrets. */
  entries: ReadonlyMap<string, Readonly<Record<string, pulumi.Input<string>>>>;
}

const resourceName = (name: string, path: string): string => `${name}-${path.replaceAll("/", "-")}`;

/** @throws pulumi.InputPropertyError for two paths whose resources would have one name */
function validateEntries(name: string, paths: Iterable<string>): void {
  const same = sameName([...paths].map((path) => ({ name: resourceName(name, path), owner: path })));
  if (same !== undefined)
    throw new InputPropertyError({
      propertyPath: "entries",
      reason: `${same.owners.join(" and ")} both have the resource ${same.name}: move one of them to another path of secrets/`,
    });
}

/** Entries of Vault's KV store, one resource each: a change to one writes no other. */
export class VaultEntries extends Component {
  constructor(name: string, args: VaultEntriesArgs, opts?: pulumi.ComponentResourceOptions) {
    validateEntries(name, args.entries.keys());
    super("platform:VaultEntries", name, opts);
    for (const [path, values] of args.entries) {
      new SecretV2(
        resourceName(name, path),
        {
          mount: args.mount,
          name: path,
          dataJson: secret(output(values).apply((plain) => JSON.stringify(plain))),
          // The deletion of an entry deletes all its versions.
          deleteAllVersions: true,
        },
        this.child({
          additionalSecretOutputs: ["data"],
          retainOnDelete: args.keepRemoved === true,
          // Both have the same path. The deletion of the old entry after the new one was written would delete the new one.
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
