/** A role of a host, and where the values of its secrets come from. Plain data. */
import type { Role } from "../../../ansible-replacements";
import type { VmSpec } from "../../../components/hosts/vm-spec";
import type { Site } from "../../define/site";
import type { StackConfig } from "../../load/settings";
import { type LoadedStack, vmOf } from "../../load/stacks";
import type { SecretKey } from "../secret-paths";

/**
 * Where a value comes from: an entry of secrets/; a plain value, which is only passed like a secret; or the hash of the certificate
 * authority of the stack's cluster, which is known once the cluster exists.
 */
export type SecretSource = SecretKey | { value: string } | { fact: "cluster-authority-hash" };

export interface PlannedRole {
  role: Role;
  /** For each secret of the role. */
  secrets: Readonly<Record<string, SecretSource>>;
  /** Whether the role makes the stack's cluster. */
  makesCluster?: true;
  /** What another host of the stack does right before this role is applied to a new host. */
  admission?: { vm: string; role: Role; secrets: Readonly<Record<string, SecretSource>> };
}

/** A stack with what its hosts' roles are made of. */
export interface RoleRequest {
  stack: LoadedStack;
  config: StackConfig;
  site: Site;
  /** All stacks and VMs of the homelab: a load balancer knows hosts of other stacks. */
  stacks: readonly LoadedStack[];
  vms: ReadonlyMap<string, VmSpec>;
}

/** The VM that the stack's cluster runs on; loading has checked that there is one. */
export function clusterVmOf({ name, duties }: LoadedStack): string {
  const found = [...duties].find(([, duty]) => duty === "cluster");
  if (found === undefined) throw new Error(`the stack ${name} has no VM for its cluster`);
  return found[0];
}

export const KUBERNETES_PORT = 6443;

export const addressOf = (vms: RoleRequest["vms"], name: string | undefined): string | undefined =>
  name === undefined ? undefined : vms.get(name)?.cloudInit.ipv4.address;

/** Address of the load balancer, where there is one. */
export const proxyAddress = ({ stacks, vms }: RoleRequest): string | undefined => addressOf(vms, vmOf(stacks, "haproxy"));

/** A value without its undefined keys, for the arguments of roles. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
export const defined = <T extends object>(value: T): Defined<T> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>;
