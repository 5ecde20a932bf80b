/** What the program of a stack builds from. Types only: nothing here loads the Pulumi SDK. */
import type { Provider as ProxmoxProvider } from "@muhlba91/pulumi-proxmoxve/provider";
import type { Provider as CommandProvider } from "@pulumi/command/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { FromStack } from "../define/app";
import type { Bastion } from "../load/bastion";
import type { StackPlan } from "../plan/plan";

/** Decrypted values by Vault path below the mount, such as `cluster-secret-store/secrets/MINIO`. */
export interface SecretReader {
  /** One value as a secret output. @throws HomelabError E_SECRET_MISSING naming path and key */
  get(path: string, key: string): pulumi.Output<string>;
  /** The public half of an SSH key, in plain text; undefined where the value is no such key. */
  publicKey(path: string, key: string): string | undefined;
  /** All paths with their keys and values. The values are plain text: pass them on as secrets only. */
  all(): ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Entries for which the stack has values of its own (secrets/<stack>), whole, by the path at which Vault keeps them. */
  own(): ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** The Vault of another stack. */
export interface UpstreamVault {
  address: pulumi.Output<string>;
  /** Identifies this Vault: another value after each rebuild. */
  id: pulumi.Output<string>;
  /** Token of each stack. Secret. */
  tokens: pulumi.Output<Record<string, string>>;
}

/** Outputs of the stacks that this one needs. An output is read, and recorded as used, when it is requested. */
export interface Upstream {
  /** Proxmox node to the id of its template. */
  templateIds(stack: string): pulumi.Output<Record<string, number>>;
  vault(stack: string): UpstreamVault;
  text(reference: FromStack): pulumi.Output<string>;
}

/** Providers that a stack's hosts need: one of each in the stack, since default providers are off. */
export interface HostProviders {
  proxmoxve: ProxmoxProvider;
  command: CommandProvider;
}

export interface BuildContext {
  plan: StackPlan;
  secrets: SecretReader;
  bastion: Bastion | undefined;
  /** Folder of the checkout, for local commands. */
  checkout: string;
  upstream: Upstream;
}
