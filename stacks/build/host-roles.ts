/** Applies the roles of the plan to the stack's hosts. */
import type { Provider as CommandProvider } from "@pulumi/command/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { Admission } from "../../components/hosts/admission";
import { HostRole } from "../../components/hosts/host-role";
import type { PlannedRole, SecretSource } from "../plan/hosts/planned-role";
import type { BuildContext } from "./context";
import type { BuiltHost } from "./vms";

/** The values of a role's secrets. @param authorityHash of the stack's cluster, for roles of hosts that join it */
export function secretValues(
  { secrets }: BuildContext,
  sources: Readonly<Record<string, SecretSource>>,
  authorityHash?: pulumi.Input<string>,
): Record<string, pulumi.Input<string>> {
  const secretFrom = (source: SecretSource): pulumi.Input<string> => {
    if ("path" in source) return secrets.get(source.path, source.key);
    if ("value" in source) return source.value;
    if (authorityHash === undefined) throw new Error("a role asks for the hash of the cluster's authority before there is a cluster");
    return authorityHash;
  };
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, secretFrom(source)]));
}

/** The stack's cluster, for hosts that join it. */
interface JoinedCluster {
  first: BuiltHost;
  /** See {@link secretValues}. */
  authorityHash: pulumi.Input<string>;
}

function admissionTo(context: BuildContext, { admission }: PlannedRole, cluster: JoinedCluster | undefined): Admission | undefined {
  if (admission === undefined) return undefined;
  const first = cluster?.first;
  if (first?.name !== admission.vm) throw new Error(`a role waits for ${admission.vm}, which is not the first node of the stack's cluster`);
  return { host: first.name, role: admission.role, connection: first.built.connection(first.access), secrets: secretValues(context, admission.secrets) };
}

export interface ApplyOptions {
  command: CommandProvider;
  /** What the first role waits for. */
  after: readonly pulumi.Resource[];
  /** For hosts that join it. */
  cluster?: JoinedCluster;
}

/** Applies the roles of one host one after the other, except the role that makes the cluster. */
export function applyRoles(context: BuildContext, host: BuiltHost, { command, after, cluster }: ApplyOptions): HostRole[] {
  const applied: HostRole[] = [];
  for (const planned of context.plan.roles.get(host.name) ?? []) {
    if (planned.makesCluster === true) continue;
    const { role, secrets } = planned;
    const last = applied.at(-1);
    applied.push(
      new HostRole(
        `${host.name}-${role.name}`,
        {
          role,
          connection: host.built.connection(host.access),
          instance: host.built.instance,
          ...(Object.keys(secrets).length === 0 ? {} : { secrets: secretValues(context, secrets, cluster?.authorityHash) }),
          admission: admissionTo(context, planned, cluster),
        },
        {
          providers: { command },
          dependsOn: [...(host.built.ready === undefined ? [] : [host.built.ready]), ...after, ...(last === undefined ? [] : [last])],
        },
      ),
    );
  }
  return applied;
}

/**
 * Applies the roles of all hosts except those of the cluster, which come later.
 * @returns for a host, what its roles must wait for: the stack's own name server where the host uses it, since roles download files
 */
export function applyServiceRoles(
  context: BuildContext,
  hosts: ReadonlyMap<string, BuiltHost>,
  command: CommandProvider,
): (host: BuiltHost) => readonly pulumi.Resource[] {
  const { nameServer, clusterVm, joining } = context.plan;
  const server = nameServer === undefined ? undefined : hosts.get(nameServer.name);
  const dns = server === undefined ? [] : applyRoles(context, server, { command, after: [] });
  const before = ({ name, spec }: BuiltHost): readonly pulumi.Resource[] => {
    const asks = name !== nameServer?.name && nameServer !== undefined && spec.cloudInit.nameservers.includes(nameServer.cloudInit.ipv4.address);
    return asks ? dns : [];
  };
  for (const host of hosts.values()) {
    if (host.name === nameServer?.name || host.name === clusterVm || joining.includes(host.name)) continue;
    applyRoles(context, host, { command, after: before(host) });
  }
  return before;
}
