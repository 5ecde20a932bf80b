import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { credentialMark } from "../credential-mark";
import { hubHost } from "../otel-collector/values";
import type { ChartPin } from "../pins";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import { BOX_CHARTS } from "./charts";
import type { Hub } from "./config";
import { BOX_NAMESPACE, HUB_SECRET } from "./names";
import type { BoxOptions } from "./options";
import { boxSecret, boxValues } from "./values";

export interface BoxArgs {
  namespace: NamespaceArgs;
  options: BoxOptions;
  hub: Hub<pulumi.Input<string>>;
  /** Secret. */
  password: pulumi.Input<string>;
  secrets: SecretsOfNamespace;
}

/** What sends logs, metrics and traces of a cluster to the hub. */
export class Box extends Component {
  constructor(name: string, args: BoxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:Box", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(BOX_NAMESPACE, namespace, [boxSecret(args.options)]), this.child());
    const values = boxValues<pulumi.Input<string>>({ options: args.options, hub: args.hub, credentialMark: credentialMark(HUB_SECRET, [args.password]) });
    const charts: Readonly<Record<string, ChartPin>> = BOX_CHARTS;
    for (const [releaseName, own] of Object.entries(values)) {
      const chart = charts[releaseName];
      if (chart === undefined) throw new Error(`a box has no chart for its release ${releaseName}`);
      new HelmRelease(`${name}-${releaseName}`, { releaseName, namespace, chart, values: own }, this.child({ dependsOn: [access] }));
    }
    this.registerOutputs({});
  }
}

export const buildBox: BuildModule<BoxOptions> = (name, { options, context }, opts) => ({
  component: new Box(
    name,
    {
      namespace: context.namespace(BOX_NAMESPACE),
      options,
      hub: { host: hubHost(context.place.domain), user: context.place.environment, authority: context.vaultAuthority },
      password: context.programSecrets.get(options.credential.path, options.credential.key),
      secrets: context.secrets.bind(context),
    },
    opts,
  ),
});
