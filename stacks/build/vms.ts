/** The stack's VMs. */
import * as pulumi from "@pulumi/pulumi";
import type { HostAccess } from "../../components/hosts/connection";
import { Vm } from "../../components/hosts/vm";
import type { VmSpec } from "../../components/hosts/vm-spec";
import { SSH_PRIVATE_KEY } from "../plan/secret-paths";
import type { BuildContext, HostProviders } from "./context";
import type { Templates } from "./proxmox";

/** A VM of the stack, with how its host is reached by SSH. */
export interface BuiltHost {
  name: string;
  spec: VmSpec;
  built: Vm;
  access: HostAccess;
}

function accessTo({ plan: { site }, secrets, bastion }: BuildContext, spec: VmSpec): HostAccess {
  return {
    user: spec.cloudInit.user ?? site.user,
    privateKey: secrets.get(SSH_PRIVATE_KEY.path, SSH_PRIVATE_KEY.key),
    ...(bastion === undefined ? {} : { bastion: { ...bastion, privateKey: pulumi.secret(bastion.privateKey) } }),
  };
}

/** Who may log in: the operators, and the homelab itself with its own key. */
export const withOwnKey = (operators: readonly string[], own: string | undefined): readonly string[] =>
  own === undefined || operators.some((line) => line === own || line.startsWith(`${own} `)) ? operators : [...operators, own];

/** By name, in the order of the matrix. */
export function buildVms(context: BuildContext, providers: HostProviders, templates: Templates): Map<string, BuiltHost> {
  const { stack, site, vms, protectedVms } = context.plan;
  const operatorKeys = withOwnKey(site.operatorKeys, context.secrets.publicKey(SSH_PRIVATE_KEY.path, SSH_PRIVATE_KEY.key));
  return new Map(
    vms.map((spec) => {
      const access = accessTo(context, spec);
      const built = new Vm(
        spec.name,
        {
          spec,
          templateId: templates.of(spec.node),
          user: site.user,
          operatorKeys,
          stack: stack.name,
          protect: protectedVms.has(spec.name),
          ready: { access, checkout: context.checkout },
        },
        { providers: { ...providers } },
      );
      return [spec.name, { name: spec.name, spec, built, access }];
    }),
  );
}
