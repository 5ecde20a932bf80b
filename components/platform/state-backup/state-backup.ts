import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { StateBackupOptions } from "./options";
import { authorityConfig, backupCronJob, type CronJobArgs, keysSecret, recipientsConfig, STATE_BACKUP_NAMESPACE, settings, stateBackupImage } from "./values";

export interface StateBackupArgs {
  namespace: NamespaceArgs;
  options: Pick<StateBackupOptions, "states" | "places" | "databases">;
  /** What the Job gets, beside Secrets. */
  job: Pick<CronJobArgs<unknown>, "image" | "schedule" | "settings">;
  /** Public keys of age. */
  recipients: readonly string[];
  /** Authority to trust beside the public ones, as PEM. */
  authority: pulumi.Input<string> | undefined;
  /** How its namespace gets the Secret with keys and passwords. */
  secrets: SecretsOfNamespace;
}

/** The nightly Job, and what it reads. No private key of age is in the cluster. */
export class StateBackup extends Component {
  constructor(name: string, args: StateBackupArgs, opts?: pulumi.ComponentResourceOptions) {
    if (args.recipients.length === 0)
      throw new pulumi.InputPropertyError({
        propertyPath: "recipients",
        reason: "there is no public key of age to encrypt to: say `recipients`, or name one in .sops.yaml",
      });
    super("platform:StateBackup", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const wanted = keysSecret(args.options);
    const keys = new SecretAccess(`${name}-secrets`, args.secrets(STATE_BACKUP_NAMESPACE, namespace, [wanted]), this.child());
    const configs = [new ConfigMap(`${name}-recipients`, recipientsConfig<pulumi.Input<string>>(namespace, args.recipients), this.child())];
    if (args.authority !== undefined)
      configs.push(new ConfigMap(`${name}-authority`, authorityConfig<pulumi.Input<string>, pulumi.Input<string>>(namespace, args.authority), this.child()));
    new CronJob(
      `${name}-job`,
      backupCronJob<pulumi.Input<string>>({ ...args.job, namespace, secrets: Object.keys(wanted.data), hasAuthority: args.authority !== undefined }),
      this.child({ dependsOn: [keys, ...configs] }),
    );
    this.registerOutputs({});
  }
}

export const buildStateBackup: BuildModule<StateBackupOptions> = (name, { options, context }, opts) => ({
  component: new StateBackup(
    name,
    {
      namespace: context.namespace(STATE_BACKUP_NAMESPACE),
      options,
      job: { image: stateBackupImage(options, context.place), schedule: options.schedule, settings: settings(options, context.place) },
      recipients: options.recipients ?? context.place.ageRecipients,
      authority: context.vaultAuthority,
      secrets: context.secrets.bind(context),
    },
    opts,
  ),
});
