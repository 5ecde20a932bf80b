import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import type { Place } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { TeleportAgentOptions } from "./options";
import { joinTokenSecret, TELEPORT_AGENT_CHART, TELEPORT_AGENT_NAMESPACE, teleportAgentValues } from "./values";

export interface TeleportAgentArgs {
  namespace: NamespaceArgs;
  options: TeleportAgentOptions;
  place: Pick<Place, "domain" | "environment">;
  /** How its namespace gets the Secret with the token by which it joins. */
  secrets: SecretsOfNamespace;
}

/** Teleport's agent in a cluster. */
export class TeleportAgent extends Component {
  constructor(name: string, args: TeleportAgentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:TeleportAgent", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(TELEPORT_AGENT_NAMESPACE, namespace, [joinTokenSecret(args.options)]), this.child());
    const values = teleportAgentValues(args.options, args.place);
    new HelmRelease(name, { releaseName: "teleport-agent", namespace, chart: TELEPORT_AGENT_CHART, values }, this.child({ dependsOn: [access] }));
    this.registerOutputs({});
  }
}

export const buildTeleportAgent: BuildModule<TeleportAgentOptions> = (name, { options, context }, opts) => ({
  component: new TeleportAgent(
    name,
    { options, place: context.place, namespace: context.namespace(TELEPORT_AGENT_NAMESPACE), secrets: context.secrets.bind(context) },
    opts,
  ),
});
