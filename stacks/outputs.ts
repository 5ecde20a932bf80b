/**
 * What each stack hands to the stacks that need it. These schemas are the only definition: the types that a definition may
 * read and the check of what a stack reference or a plan delivers both come from here.
 */
import { z } from "zod";
import { hostSchema } from "./inventory/render";

/** What every stack has. */
const environmentOutputs = z.strictObject({
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
});

export const OUTPUT_SCHEMAS = {
  tools: environmentOutputs.extend({
    /** Proxmox node to the id of the template that its VMs are cloned from. */
    templateIds: z.record(z.string(), z.number()),
    vaultAddress: z.string(),
    /** Tells Vault from one that stood at its address before. */
    vaultId: z.string(),
    /** By stack: its token, for its own entries and its cluster's way into Vault. A program is given its own alone. Secret. */
    vaultTokens: z.record(z.string(), z.string()),
  }),
  observability: environmentOutputs.extend({
    /** OTLP over HTTP, where applications send traces. */
    otlpEndpoint: z.string(),
  }),
  home: environmentOutputs,
  sandboxy: environmentOutputs,
  dev: environmentOutputs.extend({
    /** The image that runs here and that the next environment takes. */
    appImage: z.string(),
  }),
  stg: environmentOutputs.extend({
    /** The image that runs here and that the next environment takes. */
    appImage: z.string(),
  }),
  prod: environmentOutputs,
} as const;

/** Outputs that are secret in every stack that has them. */
export const SECRET_OUTPUTS: ReadonlySet<string> = new Set(["kubeconfig", "vaultTokens"]);

export type StackName = keyof typeof OUTPUT_SCHEMAS;

/** The plain values of a stack's outputs. */
export type OutputValues<N extends StackName> = z.infer<(typeof OUTPUT_SCHEMAS)[N]>;
