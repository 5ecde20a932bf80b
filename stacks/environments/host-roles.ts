/** Applies the roles of host-roles.ts to a stack's hosts. */
import type * as pulumi from "@pulumi/pulumi";
import type { Admission } from "../../components/hosts/admission";
import type { HostAccess } from "../../components/hosts/connection";
import { HostRole } from "../../components/hosts/host-role";
import type { Vm } from "../../components/hosts/vm";
import { CLUSTER_VMS, DNS_VM, joiningNodes, type PlannedRole, type SecretSource } from "../host-roles";
import type { StackContext } from "../program";

export type AccessTo = (vmName: string) => HostAccess;

/** The values of a role's secrets. @param caHash of the stack's cluster, for roles of hosts that join it */
export function secretValues(
  { secrets }: StackContext<never>,
  sources: Readonly<Record<string, SecretSource>>,
  caHash?: pulumi.Input<string>,
): Record<string, pulumi.Input<string>> {
  const secretFrom = (source: SecretSource): pulumi.Input<string> => {
    if (typeof source === "object") return "value" in source ? source.value : secrets.get(source.path, source.key);
    if (caHash === undefined) throw new Error("a role asks for the hash of the cluster's authority before there is a cluster");
    return caHash;
  };
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, secretFrom(source)]));
}

/** A host of the stack. */
interface BuiltHost {
  name: string;
  built: Vm;
  access: HostAccess;
}

/** The stack's cluster, for hosts that join it. */
interface JoinedCluster {
  first: BuiltHost;
  /** As {@link secretValues} has it. */
  caHash: pulumi.Input<string>;
}

function admissionTo(context: StackContext<never>, { admission }: PlannedRole, cluster: JoinedCluster | undefined): Admission | undefined {
  if (admission === undefined) return undefined;
  const first = cluster?.first;
  if (first?.name !== admission.vm) throw new Error(`a role waits for ${admission.vm}, which is not the first node of the stack's cluster`);
  return { host: first.name, role: admission.role, connection: first.built.connection(first.access), secrets: secretValues(context, admission.secrets) };
}

/** Applies the roles of one host that come after `done`, one after the other. @param cluster for hosts that join it */
export function applyRoles(context: StackContext<never>, vm: BuiltHost, done: number, after: readonly pulumi.Resource[], cluster?: JoinedCluster): HostRole[] {
  const applied: HostRole[] = [];
  for (const planned of (context.roles.get(vm.name) ?? []).slice(done)) {
    const { role, secrets } = planned;
    const last = applied.at(-1);
    applied.push(
      new HostRole(
        `${vm.name}-${role.name}`,
        {
          role,
          connection: vm.built.connection(vm.access),
          instance: vm.built.instance,
          ...(Object.keys(secrets).length === 0 ? {} : { secrets: secretValues(context, secrets, cluster?.caHash) }),
          admission: admissionTo(context, planned, cluster),
        },
        { dependsOn: [...(vm.built.ready === undefined ? [] : [vm.built.ready]), ...after, ...(last === undefined ? [] : [last])] },
      ),
    );
  }
  return applied;
}

/** Hosts of the stack that ask its name server: their roles download, so they wait for its role. */
const asks = (context: StackContext<never>, name: string, server: string | undefined): boolean =>
  name !== DNS_VM && server !== undefined && context.vms.some((spec) => spec.name === name && spec.cloudInit.nameservers.includes(server));

/**
 * The roles of all hosts but those of the cluster's, which come later.
 * @returns what the role of a host has to wait for: the stack's own name server
 */
export function applyServiceRoles(
  context: StackContext<never>,
  vms: ReadonlyMap<string, Vm>,
  accessTo: AccessTo,
): (vmName: string) => readonly pulumi.Resource[] {
  const server = context.vms.find(({ name }) => name === DNS_VM)?.cloudInit.ipv4.address;
  const apply = (name: string, after: readonly pulumi.Resource[]): HostRole[] => {
    const built = vms.get(name);
    return built === undefined ? [] : applyRoles(context, { name, built, access: accessTo(name) }, 0, after);
  };
  const dns = apply(DNS_VM, []);
  const before = (name: string): readonly pulumi.Resource[] => (asks(context, name, server) ? dns : []);
  const joining = joiningNodes(context.config);
  for (const name of vms.keys()) if (name !== DNS_VM && name !== CLUSTER_VMS[context.stack] && !joining.has(name)) apply(name, before(name));
  return before;
}
