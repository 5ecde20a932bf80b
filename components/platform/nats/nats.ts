import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { NatsOptions } from "./options";
import { NATS_CHART, NATS_NAMESPACE, natsValues, USERS_SECRET, usersOf, usersSecret } from "./values";

export interface NatsArgs {
  namespace: NamespaceArgs;
  options: Pick<NatsOptions, "size" | "accounts">;
  storageClass: string;
  host: string;
  /** The users' passwords, in their order. Secret. */
  passwords: readonly pulumi.Input<string>[];
  /** How its namespace gets the Secret with the passwords. */
  secrets: SecretsOfNamespace;
}

/** Messages and streams. */
export class Nats extends Component {
  constructor(name: string, args: NatsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Nats", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(NATS_NAMESPACE, namespace, [usersSecret(args.options)]), this.child());
    const values = natsValues({ ...args, credentialMark: credentialMark(USERS_SECRET, args.passwords) });
    new HelmRelease(name, { releaseName: "nats", namespace, chart: NATS_CHART, values }, this.child({ dependsOn: [access] }));
    this.registerOutputs({});
  }
}

export const buildNats: BuildModule<NatsOptions> = (name, { options: { storageClass, ...options }, context }, opts) => ({
  component: new Nats(
    name,
    {
      namespace: context.namespace(NATS_NAMESPACE),
      options,
      storageClass: storageClass ?? context.place.storageClass,
      host: `nats.${context.place.domain}`,
      passwords: usersOf(options).map(({ path, key }) => context.programSecrets.get(path, key)),
      secrets: context.secrets.bind(context),
    },
    opts,
  ),
});
