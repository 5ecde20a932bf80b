import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { Audit } from "@pulumi/vault/audit";
import { Mount } from "@pulumi/vault/mount";
import { Provider } from "@pulumi/vault/provider";
import { KV_MOUNT } from "../../../common/vault-layout";
import { ERRORS_ONLY } from "../../base/command-log";
import { Component, livesIn, timeouts } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { WebIngress } from "../../base/web-ingress";
import type { BuildModule } from "../context";
import type { VaultOptions } from "./options";
import { VAULT_CHART, VAULT_NAMESPACE, VAULT_SET, vaultValues } from "./values";
import { VaultGrants } from "./vault-grants";
import type { StackGrant } from "./vault-names";
import { MANAGER_POLICY } from "./vault-policies";

export interface VaultArgs {
  namespace: NamespaceArgs;
  /** `https://vault.example.org` */
  address: string;
  /** Class of both volumes. */
  storageClass: string;
  /** Of the volume with the entries. */
  size: string;
  /** Of the volume with the audit log. */
  auditSize: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
  /** The checkout, in which the first boot's commands run. */
  checkout: string;
  /** Differs from the host that stood here before: a Vault on a new host is another Vault. */
  instance: pulumi.Input<string>;
  /** The stack that it belongs to, which brings Git's entries to it. */
  stack: string;
  /** What each stack and each namespace may do with it. */
  grants: readonly StackGrant[];
}

/** Vault: installed, initialised, unsealed, and set up with its KV mount and what each stack may do. */
export class Vault extends Component {
  readonly address: pulumi.Output<string>;
  /** What tells it from a Vault before it at the same address. */
  readonly id: pulumi.Output<string>;
  /** Of each stack, by its name. Secret. */
  readonly tokens: pulumi.Output<Record<string, string>>;
  /** With the token of the stack it belongs to, for entries. */
  readonly provider: Provider;
  /** The KV mount's path; known once it is there. */
  readonly mount: pulumi.Output<string>;
  /** What a namespace's way to its values depends on. */
  readonly grants: VaultGrants;

  constructor(name: string, args: VaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Vault", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      // Its pod is ready when it is unsealed, which is the next step: nothing to wait for here.
      {
        releaseName: "vault",
        namespace,
        chart: VAULT_CHART,
        values: vaultValues(args),
        skipAwait: true,
        rollsOut: [VAULT_SET],
      },
      this.child(),
    );
    const route = new WebIngress(
      name,
      { host: new URL(args.address).host, namespace, service: release.releaseName, port: 8200, className: args.ingressClass, issuer: args.issuer },
      this.child(),
    );
    const boot = this.command(`${name}-boot`, "vault-first-boot", args, { triggers: [args.instance] }, [release, route]);
    this.id = boot.stdout.apply((text) => String(JSON.parse(text).id));
    // A pod that was replaced is sealed. The first boot unseals what it finds sealed, and does nothing where there is nothing to do.
    const unsealed = this.command(`${name}-unsealed`, "vault-first-boot", args, { triggers: [release.revision] }, [boot]);
    const setUp = this.command(`${name}-set-up`, "vault-set-up", args, { triggers: [this.id], stdin: JSON.stringify(MANAGER_POLICY) }, [boot, unsealed]);
    const managerToken = pulumi.secret(setUp.stdout.apply((text) => String(JSON.parse(text).token)));
    // Named as it was when it had the root token: what it made stays its own.
    const manager = new Provider(`${name}-set-up`, { address: args.address, token: managerToken, skipChildToken: true }, this.child());
    livesIn(manager, boot);
    const child = this.child({ provider: manager });
    const mount = new Mount(
      `${name}-kv`,
      { path: KV_MOUNT, type: "kv", options: { version: "2" }, description: "Entries of secrets/ and kubeconfigs" },
      // Vault deletes all entries with it. The module that goes leaves them on Vault's volume.
      this.child({ provider: manager, retainOnDelete: true }),
    );
    new Audit(
      `${name}-audit`,
      // On the volume that the chart mounts for it. Vault writes hashes of values there, never the values.
      { type: "file", path: "file", description: "Who did what", options: { file_path: "/vault/audit/audit.log" } },
      child,
    );
    this.grants = new VaultGrants(`${name}-grants`, { grants: args.grants }, this.child({ providers: { vault: manager } }));
    this.address = pulumi.output(args.address);
    this.tokens = this.grants.tokens;
    this.mount = mount.path;
    const token = this.grants.tokenOf(args.stack);
    this.provider = new Provider(`${name}-provider`, { address: args.address, token, skipChildToken: true }, this.child({ dependsOn: [mount] }));
    livesIn(this.provider, boot);
    this.registerOutputs({ address: this.address, id: this.id });
  }

  /**
   * One of our own commands about this Vault, run where the keys are. What it needs of keys it finds in their file; the stdout is
   * what is left of it.
   */
  private command(
    name: string,
    script: string,
    { address, checkout }: VaultArgs,
    inputs: { triggers: pulumi.Input<string | number>[]; stdin?: string },
    dependsOn: pulumi.Resource[],
  ): Command {
    return new Command(
      name,
      {
        ...inputs,
        create: `node bin/secrets/${script}.main.js`,
        dir: checkout,
        environment: { VAULT_ADDR: address },
        logging: ERRORS_ONLY,
        addPreviousOutputInEnv: false,
      },
      // Where a checkout lies says nothing about Vault.
      this.child({ dependsOn, additionalSecretOutputs: ["stdout"], ignoreChanges: ["dir", "logging"], customTimeouts: timeouts(15) }),
    );
  }
}

export const buildVault: BuildModule<VaultOptions> = (name, { options, context }, opts) => {
  const { environment, ingressClass, storageClass, vaultAddress } = context.place;
  const component = new Vault(
    name,
    {
      namespace: context.namespace(VAULT_NAMESPACE),
      address: vaultAddress,
      storageClass: options.storageClass ?? storageClass,
      size: options.size,
      auditSize: options.auditSize,
      ingressClass,
      issuer: context.need("issuer"),
      checkout: context.checkout,
      instance: context.cluster.instance,
      stack: environment,
      grants: context.grants,
    },
    opts,
  );
  const { provider, mount, address, id, tokens } = component;
  // What is in Vault goes with it here: nothing in this environment needs to know which one it is.
  return { component, gives: { vault: { provider, mount, address }, vaultTokens: tokens, vaultId: id }, urls: { vault: address } };
};
