import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { type BuildModule, formerPart } from "../context";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "../namespace-grants";
import type { Routes } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { ExternalDnsOptions } from "./options";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "./values";

const { namespace: NAMESPACE, password: PASSWORD } = EXTERNAL_DNS;

export interface ExternalDnsArgs {
  namespace: NamespaceArgs;
  /** Full names that this cluster's routes may have: only these are written, and deleted when their route is gone. */
  hostNames: readonly string[];
  piholeUrl: string;
  /** How the cluster's routes are made. */
  routes: Routes;
  /** How its namespace gets a Secret with Pi-hole's password. */
  secrets: SecretsOfNamespace;
}

/**
 * Names of this cluster's routes in Pi-hole. Nothing is written to public DNS: every address here is a private one.
 */
export class ExternalDns extends Component {
  constructor(name: string, args: ExternalDnsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ExternalDns", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const access = new SecretAccess(`${name}-secrets`, args.secrets(NAMESPACE, namespace, [PASSWORD]), this.child());
    const values = externalDnsValues({
      piholeUrl: args.piholeUrl,
      names: args.hostNames,
      istio: args.routes.kind === "istio",
      password: { secret: PASSWORD.name, key: PIHOLE_PASSWORD_KEY },
    });
    new HelmRelease(name, { releaseName: "external-dns", namespace, chart: EXTERNAL_DNS_CHART, values }, this.child({ dependsOn: [access] }));
    this.registerOutputs({});
  }
}

export const buildExternalDns: BuildModule<ExternalDnsOptions> = (name, { options, context }, opts) => {
  const { domain, hostNames, piholeUrl, routes } = context.place;
  const names = [...hostNames, ...options.formerNames.map((former) => `${former}.${domain}`)];
  const args = { namespace: context.namespace(NAMESPACE), hostNames: names, piholeUrl, routes, secrets: context.secrets.bind(context) };
  return { component: new ExternalDns(name, args, { ...opts, aliases: [formerPart("external-dns")] }) };
};
