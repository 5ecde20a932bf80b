import type { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../base/component";
import { HelmRelease } from "../base/helm-release";
import { Namespace } from "../base/namespace";
import { EXTERNAL_DNS_CHART, externalDnsValues } from "./external-dns/values";
import { EXTERNAL_DNS, PIHOLE_PASSWORD_KEY } from "./namespace-grants";
import { SecretAccess } from "./secret-access";

const { namespace: NAMESPACE, password: PASSWORD } = EXTERNAL_DNS;

export interface ExternalDnsArgs {
  /** Full names that this cluster's routes may have: only these are written, and deleted when their route is gone. */
  hostNames: readonly string[];
  piholeUrl: string;
  vaultAddress: pulumi.Input<string>;
  authMount: pulumi.Input<string>;
  /** Where Vault keeps an entry for this environment. Default: the common place. */
  vaultPath?: ((path: string) => string) | undefined;
}

/**
 * Names of this cluster's routes in Pi-hole. Nothing is written to public DNS: every address here is a private one.
 */
export class ExternalDns extends Component {
  constructor(name: string, args: ExternalDnsArgs, kubernetes: KubernetesProvider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:ExternalDns", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: NAMESPACE }, kubernetes, { parent: this });
    const access = new SecretAccess(
      `${name}-secrets`,
      {
        namespace,
        namespaceName: NAMESPACE,
        vaultAddress: args.vaultAddress,
        authMount: args.authMount,
        vaultPath: args.vaultPath,
        secrets: [PASSWORD],
      },
      kubernetes,
      { parent: this },
    );
    const values = externalDnsValues({ piholeUrl: args.piholeUrl, names: args.hostNames, password: { secret: PASSWORD.name, key: PIHOLE_PASSWORD_KEY } });
    new HelmRelease(name, { releaseName: "external-dns", namespace, chart: EXTERNAL_DNS_CHART, values }, kubernetes, { parent: this, dependsOn: [access] });
    this.registerOutputs({});
  }
}
