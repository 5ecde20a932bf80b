import { Command } from "@pulumi/command/local/command";
import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Audit } from "@pulumi/vault/audit";
import { Mount } from "@pulumi/vault/mount";
import { Policy } from "@pulumi/vault/policy";
import { Provider } from "@pulumi/vault/provider";
import { Token } from "@pulumi/vault/token";
import { Component, timeouts } from "../base/component";
import { HelmRelease } from "../base/helm-release";
import { Namespace } from "../base/namespace";
import { WebIngress } from "../base/web-ingress";
import { vaultValues } from "./vault.values";

/** Version of the original system. */
const VAULT_CHART = { repository: "https://helm.releases.hashicorp.com", name: "vault", version: "0.29.1" } as const;

/** The one KV mount, version 2. */
export const KV_MOUNT = "kv";

/** What the program needs of Vault after its first boot: the entries of `kv`, and each cluster's way in. No more. */
export const PROGRAM_POLICY = `path "kv/data/*" { capabilities = ["create", "read", "update", "patch", "delete"] }
path "kv/metadata/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "kv/delete/*" { capabilities = ["update"] }
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/kv" { capabilities = ["read"] }
path "sys/internal/ui/mounts/kv" { capabilities = ["read"] }
path "sys/auth" { capabilities = ["read"] }
path "sys/auth/kubernetes-*" { capabilities = ["create", "read", "update", "delete", "sudo"] }
path "sys/mounts/auth/kubernetes-*" { capabilities = ["read", "update"] }
path "auth/kubernetes-*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/policies/acl/cluster-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`;

export interface VaultArgs {
  /** `https://vault.fullstack.pw` */
  address: string;
  storageClass: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
  /** The checkout, in which the first boot's command runs. */
  checkout: string;
}

/** Vault: installed, initialised and unsealed, with its KV mount and the token that the rest of the program uses. */
export class Vault extends Component {
  readonly address: pulumi.Output<string>;
  /** Periodic token of {@link PROGRAM_POLICY}. Secret. */
  readonly token: pulumi.Output<string>;
  /** With that token, for entries and clusters. */
  readonly provider: Provider;
  /** The KV mount's path; known once it is there. */
  readonly mount: pulumi.Output<string>;

  constructor(name: string, args: VaultArgs, kubernetes: KubernetesProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Vault", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: "vault" }, kubernetes, { parent: this });
    const release = new HelmRelease(
      name,
      // Its pod is ready when it is unsealed, which is the next step: nothing to wait for here.
      { releaseName: "vault", namespace, chart: VAULT_CHART, values: vaultValues(args.storageClass), skipAwait: true },
      kubernetes,
      { parent: this },
    );
    const route = new WebIngress(
      name,
      { host: new URL(args.address).host, namespace, service: release.releaseName, port: 8200, className: args.ingressClass, issuer: args.issuer },
      kubernetes,
      { parent: this },
    );
    const setUp = new Provider(
      `${name}-set-up`,
      { address: args.address, token: this.firstBoot(name, args, [release, route]), skipChildToken: true },
      { parent: this },
    );
    const mount = new Mount(
      `${name}-kv`,
      { path: KV_MOUNT, type: "kv", options: { version: "2" }, description: "Entries of secrets/ and kubeconfigs" },
      this.child({ provider: setUp }),
    );
    new Audit(
      `${name}-audit`,
      // On the volume that the chart mounts for it. Vault writes hashes of values there, never the values.
      { type: "file", path: "file", description: "Who did what", options: { file_path: "/vault/audit/audit.log" } },
      this.child({ provider: setUp }),
    );
    const policy = new Policy(`${name}-policy`, { name: "homelab-program", policy: PROGRAM_POLICY }, this.child({ provider: setUp }));
    const token = new Token(
      `${name}-token`,
      {
        policies: [policy.name],
        displayName: "homelab-program",
        noParent: true,
        renewable: true,
        period: "768h",
        renewMinLease: 1_209_600,
        renewIncrement: 2_764_800,
      },
      this.child({ provider: setUp, additionalSecretOutputs: ["clientToken"] }),
    );
    this.address = pulumi.output(args.address);
    this.token = pulumi.secret(token.clientToken);
    this.mount = mount.path;
    this.provider = new Provider(`${name}-provider`, { address: args.address, token: this.token, skipChildToken: true }, { parent: this, dependsOn: [mount] });
    this.registerOutputs({ address: this.address, token: this.token });
  }

  /** Initialises and unseals; the keys are stored encrypted before anything else can fail. Returns the root token, secret. */
  private firstBoot(name: string, args: VaultArgs, dependsOn: pulumi.Resource[]): pulumi.Output<string> {
    const boot = new Command(
      `${name}-first-boot`,
      {
        create: "node bin/secrets/vault-first-boot.main.js",
        dir: args.checkout,
        environment: { VAULT_ADDR: args.address },
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      // Where a checkout lies says nothing about Vault.
      this.child({ dependsOn, additionalSecretOutputs: ["stdout"], ignoreChanges: ["dir"], customTimeouts: timeouts(15) }),
    );
    return pulumi.secret(boot.stdout.apply((text) => String(JSON.parse(text).rootToken)));
  }
}
