import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type { Provider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../base/component";
import { HelmRelease } from "../base/helm-release";
import { Namespace } from "../base/namespace";
import { CERT_MANAGER_CHART, certManagerValues } from "./cert-manager/values";

/** Name of the one issuer of every cluster. */
const ISSUER = "letsencrypt-prod";

export interface CertManagerArgs {
  /** Contact that the certificate authority writes to. */
  email: string;
  /** May edit DNS records of the domain; secret. */
  cloudflareToken: pulumi.Input<string>;
  domain: string;
}

/** Certificates for every host name, by DNS-01 at Cloudflare, so that no port is open to the world. */
export class CertManager extends Component {
  /** Name of the ClusterIssuer; known once it is there. */
  readonly issuer: pulumi.Output<string>;

  constructor(name: string, args: CertManagerArgs, provider: Provider, opts?: pulumi.ComponentResourceOptions) {
    super("platform:CertManager", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, { name: "cert-manager" }, provider, { parent: this });
    const release = new HelmRelease(
      name,
      { releaseName: "cert-manager", namespace, chart: CERT_MANAGER_CHART, values: certManagerValues({ nameservers: ["1.1.1.1:53", "8.8.8.8:53"] }) },
      provider,
      {
        parent: this,
      },
    );
    const token = new Secret(
      `${name}-cloudflare`,
      { metadata: { name: "cloudflare-api-token", namespace }, stringData: { "api-token": args.cloudflareToken } },
      this.child({ provider }),
    );
    const issuer = new CustomResource(
      `${name}-issuer`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { name: ISSUER },
        spec: {
          acme: {
            server: "https://acme-v02.api.letsencrypt.org/directory",
            email: args.email,
            privateKeySecretRef: { name: ISSUER },
            solvers: [
              {
                selector: { dnsZones: [args.domain] },
                dns01: { cloudflare: { apiTokenSecretRef: { name: "cloudflare-api-token", key: "api-token" } } },
              },
            ],
          },
        },
      },
      this.child({ provider, dependsOn: [release, token] }),
    );
    this.issuer = issuer.metadata.apply(() => ISSUER);
    this.registerOutputs({ issuer: this.issuer });
  }
}
