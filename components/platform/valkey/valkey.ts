import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { ValkeyOptions } from "./options";
import { USERS_SECRET, usersSecret, VALKEY_CHART, VALKEY_NAMESPACE, valkeyValues } from "./values";

export interface ValkeyArgs {
  namespace: NamespaceArgs;
  options: Pick<ValkeyOptions, "size" | "memoryMiB" | "users">;
  storageClass: string;
  host: string;
  /** The users' passwords, in their order. Secret. */
  passwords: readonly pulumi.Input<string>[];
  /** How its namespace gets the Secret with the passwords. */
  secrets: SecretsOfNamespace;
}

/** Values in memory, by the protocol of Redis. */
export class Valkey extends Component {
  constructor(name: string, args: ValkeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Valkey", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(VALKEY_NAMESPACE, namespace, [usersSecret(args.options)]), this.child());
    const values = valkeyValues({ ...args, credentialMark: credentialMark(USERS_SECRET, args.passwords) });
    new HelmRelease(name, { releaseName: "valkey", namespace, chart: VALKEY_CHART, values }, this.child({ dependsOn: [access] }));
    this.registerOutputs({});
  }
}

export const buildValkey: BuildModule<ValkeyOptions> = (name, { options: { storageClass, ...options }, context }, opts) => ({
  component: new Valkey(
    name,
    {
      namespace: context.namespace(VALKEY_NAMESPACE),
      options,
      storageClass: storageClass ?? context.place.storageClass,
      host: `redis.${context.place.domain}`,
      passwords: Object.values(options.users).map(({ path, key }) => context.programSecrets.get(path, key)),
      secrets: context.secrets.bind(context),
    },
    opts,
  ),
});
