/** The platform of the stack's cluster, with what other stacks give to it. */

import type { Provider as CommandProvider } from "@pulumi/command/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { HomelabError } from "../../common/errors";
import { KV_MOUNT } from "../../common/vault-layout";
import { known } from "../../components/base/known-failure";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import { ClusterContext, type VaultAccess } from "../../components/platform/context";
import type { BuildContext } from "./context";
import { type BuiltPlatform, buildPlatform } from "./platform";

/** @throws HomelabError E_VAULT_TOKEN where Vault's stack was built before this one was defined */
function tokenOf(tokens: Readonly<Record<string, string>>, stack: string, vaultOf: string): string {
  const token = tokens[stack];
  if (token === undefined)
    throw new HomelabError("E_VAULT_TOKEN", `the stack ${vaultOf} has made no token of Vault for "${stack}"`, {
      subject: stack,
      hint: `\`homelab up ${vaultOf}\` makes it`,
    });
  return token;
}

function vaultOfUpstream({ plan: { stack, vaultOf }, upstream }: BuildContext): VaultAccess {
  const { address, id, tokens } = upstream.vault(vaultOf);
  const token = pulumi.secret(tokens.apply(known((all) => tokenOf(all, stack.name, vaultOf))));
  return { provider: new VaultProvider("vault", { address, token, skipChildToken: true }), mount: KV_MOUNT, address, id };
}

export function buildModules(context: BuildContext, cluster: KubernetesCluster, command: CommandProvider): BuiltPlatform {
  const { plan, secrets, checkout } = context;
  const given = plan.vaultOf === plan.stack.name ? {} : { vault: vaultOfUpstream(context) };
  return buildPlatform(
    plan.platform,
    new ClusterContext({ place: plan.platform.place, cluster, command, secrets, checkout, grants: plan.grants, given, namespaces: plan.platform.namespaces }),
  );
}
