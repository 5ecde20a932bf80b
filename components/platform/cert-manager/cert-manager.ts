import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import type * as pulumi from "@pulumi/pulumi";
import { after, Component } from "../../base/component";
import { HelmRelease } from "../../base/helm-release";
import { Namespace, type NamespaceArgs } from "../../base/namespace";
import type { BuildModule } from "../context";
import { type CertManagerOptions, CLOUDFLARE_TOKEN } from "./options";
import { CERT_MANAGER_CHART, CERT_MANAGER_NAMESPACE, certManagerValues } from "./values";

/** Name of the one issuer of every cluster. */
const ISSUER = "letsencrypt-prod";

/** What the webhook is asked about until it admits: it answers for all kinds of cert-manager at once. */
const ADMITTED = {
  apiVersion: "cert-manager.io/v1",
  kind: "Issuer",
  metadata: { name: "homelab-admission", namespace: CERT_MANAGER_NAMESPACE },
  spec: { selfSigned: {} },
} as const;

export interface CertManagerArgs {
  namespace: NamespaceArgs;
  /** Contact that the certificate authority writes to. */
  email: string;
  /** May edit DNS records of the domain; secret. */
  cloudflareToken: pulumi.Input<string>;
  domain: string;
  /** Resolvers that DNS-01 checks ask, as `address:port`. */
  nameservers: readonly string[];
}

/** Certificates for every host name, by DNS-01 at Cloudflare, so that no port is open to the world. */
export class CertManager extends Component {
  /** Name of the ClusterIssuer; known once it is there. */
  readonly issuer: pulumi.Output<string>;

  constructor(name: string, args: CertManagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("platform:CertManager", name, opts);
    const { namespace } = new Namespace(`${name}-ns`, args.namespace, this.child());
    const release = new HelmRelease(
      name,
      { releaseName: "cert-manager", namespace, chart: CERT_MANAGER_CHART, values: certManagerValues(args), admits: [ADMITTED] },
      this.child(),
    );
    const token = new Secret(
      `${name}-cloudflare`,
      { metadata: { name: "cloudflare-api-token", namespace }, stringData: { "api-token": args.cloudflareToken } },
      this.child(),
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
      this.child({ dependsOn: [release, token] }),
    );
    this.issuer = after(issuer, ISSUER);
    this.registerOutputs({ issuer: this.issuer });
  }
}

export const buildCertManager: BuildModule<CertManagerOptions> = (name, { options: { email, nameservers }, context }, opts) => {
  const { contact, domain } = context.place;
  const cloudflareToken = context.programSecrets.get(CLOUDFLARE_TOKEN.path, CLOUDFLARE_TOKEN.key);
  const component = new CertManager(
    name,
    { namespace: context.namespace(CERT_MANAGER_NAMESPACE), email: email ?? contact, nameservers, domain, cloudflareToken },
    opts,
  );
  return { component, gives: { issuer: component.issuer } };
};
