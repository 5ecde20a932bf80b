/**
 * The outputs that each stack gives to the stacks that need it. These schemas are their only definition: outputs from another stack's
 * state or preview are checked with them, and a test compares them with what the matrix may refer to (define/stacks.ts).
 */
import { z } from "zod";
import type { LoadedStack } from "../load/stacks";
import { appOutputs } from "../plan/apps";
import { hostSchema } from "./inventory";

/** What every stack has. */
const ENVIRONMENT = {
  /** Admin kubeconfig of the cluster, with the stack's name as cluster, user and context. Secret. */
  kubeconfig: z.string(),
  /** `https://<address>:6443` */
  clusterEndpoint: z.string(),
  /** VM name to its address in the homelab's network. */
  vms: z.record(z.string(), z.string()),
  /** The stack's hosts by name: the inventory. */
  hosts: z.record(z.string(), hostSchema),
  /** The same in Ansible's INI form. */
  inventory: z.string(),
  /** The same as an OpenSSH client configuration. */
  sshConfig: z.string(),
  /** URLs that people open. */
  urls: z.record(z.string(), z.string()),
  /** The image that each application runs, by its name. */
  images: z.record(z.string(), z.string()),
};

/** Of the stack that prepares the Proxmox nodes. */
const TEMPLATES = {
  /** Proxmox node to the id of the template that its VMs are cloned from. */
  templateIds: z.record(z.string(), z.number()),
};

/** Of the stack that Vault runs in. */
const VAULT = {
  vaultAddress: z.string(),
  /** Identifies this Vault: another value after each rebuild. */
  vaultId: z.string(),
  /** Token of each stack, for its own entries and its cluster's access to Vault. A program uses only its own. Secret. */
  vaultTokens: z.record(z.string(), z.string()),
};

/** Outputs that are secret in every stack that has them. */
export const SECRET_OUTPUTS: ReadonlySet<string> = new Set(["kubeconfig", "vaultTokens"]);

/** The schema of each output of a stack, by its name. */
export function outputSchemas(stack: Pick<LoadedStack, "preparesNodes" | "platform" | "apps">): Readonly<Record<string, z.ZodType>> {
  return {
    ...ENVIRONMENT,
    ...(stack.preparesNodes ? TEMPLATES : {}),
    ...(stack.platform.vault === undefined ? {} : VAULT),
    ...Object.fromEntries(appOutputs(stack).map((name) => [name, z.string()])),
  };
}
