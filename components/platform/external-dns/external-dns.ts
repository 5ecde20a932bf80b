import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../../base/component";
import { Credentials } from "../../base/credentials";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import { CLOUDFLARE_TOKEN } from "../cert-manager/options";
import { type BuildModule, formerPart } from "../context";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "../namespace-grants";
import type { Routes } from "../place";
import { SecretAccess, type SecretsOfNamespace } from "../secret-access";
import type { ExternalDnsOptions } from "./options";
import { publicInstances } from "./public-names";
import { CLOUDFLARE_SECRET, EXTERNAL_DNS_CHART, externalDnsValues } from "./values";

const { namespace: NAMESPACE, password: PASSWORD } = EXTERNAL_DNS;

export interface ExternalDnsArgs {
  namespace: NamespaceArgs;
  /** Full names that this cluster's routes may have. Only their records are written, and deleted when their route is deleted. */
  hostNames: readonly string[];
  piholeUrl: string;
  /** How the cluster's routes are made. */
  routes: Routes;
  /** How its namespace gets a Secret with Pi-hole's password. */
  secrets: SecretsOfNamespace;
  /** Values of each instance that writes public names, by release name. */
  instances: ReturnType<typeof publicInstances>;
  /** Token of Cloudflare; secret. Undefined without such instances. */
  token: pulumi.Input<string> | undefined;
}

/**
 * Writes the names of this cluster's routes to Pi-hole. Public DNS gets only the names that are listed as public, and a private address
 * only where its name allows that.
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
    if (args.token !== undefined) this.#publicly(name, args.token, args.instances, namespace);
    this.registerOutputs({});
  }

  /** Each instance owns its records, and changes none of the others. */
  #publicly(name: string, token: pulumi.Input<string>, instances: ExternalDnsArgs["instances"], namespace: pulumi.Output<string>): void {
    const values = { [CLOUDFLARE_SECRET.key]: token };
    const secret = new Credentials(`${name}-cloudflare`, { name: CLOUDFLARE_SECRET.name, namespace, values }, this.child());
    for (const [release, own] of instances)
      new HelmRelease(
        release.replace(/^external-dns/, name),
        { releaseName: release, namespace, chart: EXTERNAL_DNS_CHART, values: own },
        this.child({ dependsOn: [secret] }),
      );
  }
}

export const buildExternalDns: BuildModule<ExternalDnsOptions> = (name, { options, context }, opts) => {
  const { domain, hostNames, piholeUrl, routes } = context.place;
  const names = [...hostNames, ...options.formerNames.map((former) => `${former}.${domain}`)];
  const instances = publicInstances(options, context.place);
  const token = instances.size === 0 ? undefined : context.programSecrets.get(CLOUDFLARE_TOKEN.path, CLOUDFLARE_TOKEN.key);
  const args = { namespace: context.namespace(NAMESPACE), hostNames: names, piholeUrl, routes, secrets: context.secrets.bind(context), instances, token };
  return { component: new ExternalDns(name, args, { ...opts, aliases: [formerPart("external-dns")] }) };
};
