import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { Audit } from "@pulumi/vault/audit";
import { Mount } from "@pulumi/vault/mount";
import { Provider } from "@pulumi/vault/provider";
import { z } from "zod";
import { answered } from "../../../common/answer";
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

/** What a command of this module has printed. An error does not quote it: it may be a token. */
const printed = <T>(command: string, text: string, schema: z.ZodType<T>): T =>
  answered(schema, text, { from: `output of ${command}`, hint: "`homelab refresh` and `homelab up` run it again where its output was changed or cut" });

export interface VaultArgs {
  namespace: NamespaceArgs;
  /** `https://vault.example.org` */
  address: string;
  /** Class of both volumes. */
  storageClass: string;
  /** Size of the volume with the entries. */
  size: string;
  /** Size of the volume with the audit log. */
  auditSize: string;
  ingressClass: string;
  issuer: pulumi.Input<string>;
  /** The checkout, in which the first boot's commands run. */
  checkout: string;
  /** Identifies the host: a Vault on a rebuilt host is another Vault. */
  instance: pulumi.Input<string>;
  /** The stack that it belongs to, which copies Git's entries to it. */
  stack: string;
  /** What each stack and each namespace may do with it. */
  grants: readonly StackGrant[];
}

/** Vault: installed, initialised, unsealed, and set up with its KV mount and what each stack may do. */
export class Vault extends Component {
  readonly address: pulumi.Output<string>;
  /** Identifies this Vault: another value after each rebuild. */
  readonly id: pulumi.Output<string>;
  /** Token of each stack, by its name. Secret. */
  readonly tokens: pulumi.Output<Record<string, string>>;
  /** For entries, with the token of the stack that it belongs to. */
  readonly provider: Provider;
  /** The KV mount's path; known once it exists. */
  readonly mount: pulumi.Output<string>;
  /** What the access of namespaces to their values depends on. */
  readonly grants: VaultGrants;

  constructor(name: string, args: VaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Vault", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      // Its pod is ready only once it is unsealed, which is the next step. So this does not wait.
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
    this.id = boot.stdout.apply((text) => printed("vault-first-boot", text, z.object({ id: z.string() })).id);
    // A pod that was replaced is sealed. The command of the first boot unseals it; where nothing is sealed, it does nothing.
    const unsealed = this.command(`${name}-unsealed`, "vault-first-boot", args, { triggers: [release.revision] }, [boot]);
    const setUp = this.command(`${name}-set-up`, "vault-set-up", args, { triggers: [this.id], stdin: JSON.stringify(MANAGER_POLICY) }, [boot, unsealed]);
    const managerToken = pulumi.secret(setUp.stdout.apply((text) => printed("vault-set-up", text, z.object({ token: z.string() })).token));
    // It keeps the name that it had with the root token, so that what it made then still has this provider.
    const manager = new Provider(`${name}-set-up`, { address: args.address, token: managerToken, skipChildToken: true }, this.child());
    livesIn(manager, boot);
    const child = this.child({ provider: manager });
    const mount = new Mount(
      `${name}-kv`,
      { path: KV_MOUNT, type: "kv", options: { version: "2" }, description: "Entries of secrets/ and kubeconfigs" },
      // Vault would delete all entries with it. When the module is removed, they stay on Vault's volume.
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
   * One of our own commands for this Vault. It runs on the machine that has the keys, and reads them from their file. Its result is its
   * stdout.
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
      // The path of the checkout says nothing about Vault. For `logging` see base/command-log.ts.
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
  // In this environment what is in Vault is deleted with it (`livesIn`). So its entries need no `id` that would replace them.
  return { component, gives: { vault: { provider, mount, address }, vaultTokens: tokens, vaultId: id }, urls: { vault: address } };
};
