/** The platform of the stack's cluster. */
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as VaultProvider } from "@pulumi/vault/provider";
import { HomelabError } from "../../common/errors";
import { known } from "../../components/base/known-failure";
import type { KubernetesCluster } from "../../components/clusters/kubernetes-cluster";
import { CertManager } from "../../components/platform/cert-manager";
import { CLOUDFLARE_TOKEN } from "../../components/platform/cert-manager/module";
import { ClusterServices } from "../../components/platform/cluster-services";
import { Minio } from "../../components/platform/minio";
import { ROOT_PASSWORD, ROOT_USER } from "../../components/platform/minio/module";
import { Vault } from "../../components/platform/vault";
import { VaultEntries } from "../../components/platform/vault-entries";
import { KV_MOUNT } from "../../components/platform/vault-names";
import { LOCAL_PATH } from "../plan/modules";
import { STORE } from "../plan/secret-paths";
import type { BuildContext } from "./context";

export interface BuiltModules {
  /** Of certificates, where a module makes them. */
  issuer: pulumi.Output<string> | undefined;
  /** Where this stack has it. */
  vault: Vault | undefined;
  urls: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Vault, as the modules of the stack reach it. */
interface VaultAccess {
  provider: VaultProvider;
  mount: pulumi.Input<string>;
  address: pulumi.Input<string>;
  id?: pulumi.Input<string>;
}

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

type Shared = { storageClass: string; ingressClass: string; issuer: pulumi.Input<string> };

function buildMinio({ plan, secrets }: BuildContext, shared: Shared, provider: KubernetesProvider): Minio {
  return new Minio(
    "minio",
    {
      ...shared,
      rootUser: secrets.get(ROOT_USER.path, ROOT_USER.key),
      rootPassword: secrets.get(ROOT_PASSWORD.path, ROOT_PASSWORD.key),
      domain: plan.site.domain,
    },
    provider,
  );
}

const buildVault = ({ plan, checkout }: BuildContext, shared: Shared, cluster: KubernetesCluster): Vault =>
  new Vault(
    "vault",
    { ...shared, address: plan.site.vaultAddress, checkout, instance: cluster.instance, stack: plan.stack.name, grants: plan.grants },
    cluster.provider,
  );

/** What a cluster gets from Vault and Pi-hole. */
function buildServices({ plan, secrets }: BuildContext, cluster: KubernetesCluster, vault: VaultAccess, dependsOn: pulumi.Resource[]): void {
  new ClusterServices(
    "services",
    {
      stack: plan.stack.name,
      hostNames: plan.hostNames,
      piholeUrl: plan.site.piholeUrl,
      vaultAddress: vault.address,
      kvMount: vault.mount,
      vaultId: vault.id,
      endpoint: cluster.endpoint,
      ca: cluster.ca,
      kubeconfig: cluster.kubeconfig,
      ownEntries: secrets.own(),
      vaultPath: secrets.vaultPath,
      sharedSecrets: plan.config.sharedSecrets ? secrets.keysBelow(STORE) : undefined,
    },
    cluster.provider,
    vault.provider,
    { dependsOn },
  );
}

/** The modules of the stack's row of the matrix. */
export function buildModules(context: BuildContext, cluster: KubernetesCluster): BuiltModules {
  const { plan, secrets } = context;
  const { platform } = plan.stack;
  const certManager =
    platform["cert-manager"] === undefined
      ? undefined
      : new CertManager(
          "cert-manager",
          { email: plan.config.acmeEmail, cloudflareToken: secrets.get(CLOUDFLARE_TOKEN.path, CLOUDFLARE_TOKEN.key), domain: plan.site.domain },
          cluster.provider,
        );
  const issuer = certManager?.issuer;
  const shared = (): Shared => {
    if (issuer === undefined) throw new Error(`the modules of ${plan.stack.name} need certificates, and the plan has none`);
    return { storageClass: LOCAL_PATH, ingressClass: plan.config.ingressClass, issuer };
  };
  const minio = platform.minio === undefined ? undefined : buildMinio(context, shared(), cluster.provider);
  const vault = platform.vault === undefined ? undefined : buildVault(context, shared(), cluster);
  const entries =
    vault === undefined || platform["vault-entries"] === undefined
      ? undefined
      : new VaultEntries("secrets", { mount: vault.mount, entries: secrets.all(), keepRemoved: true }, vault.provider);
  // What is in Vault goes with it where it is this stack's: no need to say which one it is.
  const access = vault === undefined ? vaultOfUpstream(context) : { provider: vault.provider, mount: vault.mount, address: vault.address };
  if (platform["cluster-access"] !== undefined)
    buildServices(context, cluster, access, [...(entries === undefined ? [] : [entries]), ...(vault === undefined ? [] : [vault.grants])]);
  return {
    issuer,
    vault,
    urls: { ...(vault === undefined ? {} : { vault: vault.address }), ...(minio === undefined ? {} : { s3: minio.apiUrl, minio: minio.consoleUrl }) },
  };
}
